"""claude's stream, line by line: what people see of it, and what it adds up to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.claude.events import parse, parse_line
from tests.making import NOW
from workerhost.claude.stream import Stream
from workerhost.programs.progress import Progress

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    *("type", "subtype", "message", "content", "text", "input", "error", "result", "errors"),
    *("rate_limit_info", "status", "resetsAt", "num_turns", "total_cost_usd", "id", "name"),
    *("model_usage_since_last_result", "parent_tool_use_id"),
]
KINDS = st.sampled_from(["system", "assistant", "user", "rate_limit_event", "result"])


def lines_of(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in parse_line(json.dumps(data).encode(), 5, NOW)]


def assistant(*blocks: dict[str, Any], number: str = "m1", **more: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"id": number, "content": list(blocks)}, **more}


def tool(name: str, **given_: Any) -> dict[str, Any]:
    return assistant({"type": "tool_use", "id": "t", "name": name, "input": given_})


def answer(content: Any, *, is_error: bool = False) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": "t", "content": content, "is_error": is_error}
    return {"type": "user", "message": {"role": "user", "content": [block]}}


def retry(**more: Any) -> dict[str, Any]:
    return {"type": "system", "subtype": "api_retry", "attempt": 2, "max_retries": 10, **more}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {"type": "system", "subtype": "init", "model": "claude-x", "cwd": "/w"},
            [("init", "claude-x in /w")],
        ),
        (assistant({"type": "text", "text": " Hello\nyou "}), [("text", "Hello\nyou")]),
        (assistant({"type": "text", "text": "  "}), []),
        (assistant({"type": "thinking", "thinking": "hm"}), []),
        (tool("Bash", command="make\n  test"), [("tool", "Bash: make test")]),
        (tool("Edit", file_path="/w/a.py"), [("tool", "Edit: /w/a.py")]),
        (tool("ListAgents"), [("tool", "ListAgents")]),
        (tool("TaskCreate", subject="Look"), [("todo", "TaskCreate: Look")]),
        (
            tool("TaskUpdate", taskId="1", status="completed"),
            [("todo", "TaskUpdate: 1 → completed")],
        ),
        (answer("one\ntwo"), [("result", "one")]),
        (answer([{"type": "text", "text": "one"}]), [("result", "one")]),
        (answer(""), [("result", "")]),
        (retry(error_status=529), [("retry", "the API said 529; attempt 2/10")]),
        (
            retry(error_status=None, error="unknown"),
            [("retry", "the API said unknown; attempt 2/10")],
        ),
        ({"type": "rate_limit_event", "rate_limit_info": {"status": "allowed"}}, []),
        (
            {
                "type": "rate_limit_event",
                "rate_limit_info": {"status": "rejected", "rateLimitType": "five_hour"},
            },
            [("limit", "five_hour: rejected")],
        ),
        ({"type": "result", "subtype": "success", "result": "Done.\n"}, [("end", "Done.")]),
        (
            {"type": "result", "subtype": "error_max_turns", "errors": ["Reached 3"]},
            [("end", "['Reached 3']")],
        ),
        ({"type": "system", "subtype": "thinking_tokens"}, []),
        ({"type": "of another version"}, []),
    ],
)
def test_line_as_people_see_it(data: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert lines_of(data) == expected


def test_line_that_is_no_json_is_a_note() -> None:
    assert [one.kind for one in parse_line(b"Killed\n", 7, NOW)] == ["note"]
    assert parse_line(b"  \n", 7, NOW) == []


def test_event_says_where_the_next_line_starts() -> None:
    (event,) = parse_line(b"x", 4711, NOW)

    assert (event.offset, event.at) == (4711, NOW)


def test_long_text_is_cut() -> None:
    ((_, text),) = lines_of(assistant({"type": "text", "text": "x" * 100_000}))

    assert len(text) == 20_000


def test_todo_keeps_what_was_given_and_a_tool_only_its_name() -> None:
    todo = parse_line(json.dumps(tool("TaskCreate", subject="Look")).encode(), 1, NOW)[0]
    bash = parse_line(json.dumps(tool("Bash", command="x")).encode(), 1, NOW)[0]

    assert todo.data == {"tool": "TaskCreate", "input": {"subject": "Look"}}
    assert bash.data == {"tool": "Bash"}


def progress_of(*lines: dict[str, Any]) -> Progress:
    stream = Stream()
    for line in lines:
        stream.add(line)
    return stream.progress


def test_turn_is_a_message_not_a_line() -> None:
    """There is one line a content block, and a subagent's messages are not the agent's."""
    text = {"type": "text", "text": "x"}
    progress = progress_of(
        assistant(text),
        assistant(text),
        assistant(text, number="m2"),
        assistant(text, number="m3", parent_tool_use_id="toolu"),
    )

    assert progress.turns == 2


def test_result_line_corrects_the_count() -> None:
    progress = progress_of(assistant(), {"type": "result", "num_turns": 9, "total_cost_usd": 0.5})

    assert (progress.turns, progress.cost_usd) == (9, 0.5)


def test_cost_of_a_resumed_run_is_its_own() -> None:
    used = {"claude-x": {"costUSD": 0.25}, "claude-y": {"costUSD": 0.5}}
    result = {"type": "result", "num_turns": 1, "total_cost_usd": 9.0}

    assert progress_of(result | {"model_usage_since_last_result": used}).cost_usd == 0.75
    assert progress_of(result | {"model_usage_since_last_result": {}}).cost_usd == 0.0
    assert progress_of(result).cost_usd == 9.0


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    """claude cuts long texts by UTF-16 units; neither JSON nor Redis can keep the halves."""
    line = rb'{"type":"result","result":"cut \ud83d","ok":"\ud83d\ude00","num_turns":1}'

    data = parse(line)

    assert data == {"type": "result", "result": "cut ?", "ok": "😀", "num_turns": 1}
    parse_line(line, 1, NOW)[0].model_dump_json()


@given(st.binary(max_size=200) | st.just(b"[" * 200_000) | st.just(b'{"a":' * 200_000))
def test_no_bytes_upset_the_reader(line: bytes) -> None:
    stream = Stream()
    data = parse(line)
    if data is not None:
        stream.add(data)

    for event in parse_line(line, 1, NOW):
        event.model_dump_json()


@given(KINDS, st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_object_upsets_the_reader(kind: str, fields: dict[str, Any]) -> None:
    line = json.dumps(fields | {"type": kind}).encode()
    stream = Stream()
    data = parse(line)
    assert data is not None

    stream.add(data)

    for event in parse_line(line, 1, NOW):
        event.model_dump_json()
