"""Which streams go round in circles: told from claude's own lines, as it writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.settings import Settings
from cw.states import Mode
from tests.making import make_spec
from workerhost.claude.stream import Stream
from workerhost.programs.loops import Loop, Loops, Patience
from workerhost.runs.loop_patience import patience

CALLS, TURNS = 5, 40
PATIENCE = Patience(calls=CALLS, turns=TURNS)
IDS = map(str, count())


@dataclass(frozen=True, kw_only=True)
class Made:
    """A call, and its answer."""

    tool: str
    given: Any
    answer: Any = "ok"
    failed: bool = False

    def fails(self, answer: Any = "Exit code 1\n3 tests failed") -> Made:
        return replace(self, answer=answer, failed=True)


def bash(command: str, answer: Any = "ok", **more: Any) -> Made:
    return Made(tool="Bash", given={"command": command, **more}, answer=answer)


def edit(path: str, new: str) -> Made:
    given = {"file_path": path, "old_string": "x", "new_string": new}
    return Made(tool="Edit", given=given, answer=f"{path} has been updated.")


def read(path: str, answer: str = "1  x") -> Made:
    return Made(tool="Read", given={"file_path": path}, answer=answer)


TEST, CHECKS = bash("npm test"), bash("gh pr checks 7")
Turn = Sequence[Made]


def lines(turns: Iterable[Turn], thread: str | None = None) -> Iterable[bytes]:
    """As claude writes them: a line a block, then the answers."""
    for turn in turns:
        message, answers = f"msg_{next(IDS)}", []
        for made in turn:
            call = f"toolu_{next(IDS)}"
            block = {"type": "tool_use", "id": call, "name": made.tool, "input": made.given}
            yield _line("assistant", {"id": message, "content": [block]}, thread)
            back = {"type": "tool_result", "tool_use_id": call, "content": made.answer}
            answers.append({**back, "is_error": made.failed})
        for answer in answers:
            yield _line("user", {"content": [answer]}, thread)


def _line(kind: str, message: dict[str, Any], thread: str | None) -> bytes:
    line = {"type": kind, "message": message, "parent_tool_use_id": thread}
    return json.dumps(line).encode()


def heard(read: Iterable[bytes], told: Patience = PATIENCE) -> tuple[Loop | None, int]:
    """The first loop that was found, and after how many lines."""
    loops, stream = Loops(told), Stream()
    for number, line in enumerate(read, 1):
        for act in stream.take(line).acts():
            loops.hear(act)
        if loops.found:
            return loops.found, number
    return None, 0


def each(*turns: Made, times: int = 100) -> list[Turn]:
    """One call a turn, all of them again and again."""
    return [[made] for made in turns * times]


def numbered(make: Any, times: int = 100) -> list[Turn]:
    return [[make(number)] for number in range(times)]


REREAD = [*numbered(lambda at: read(f"f{at}"), 30), *numbered(lambda at: read(f"f{at}"), 30)]
WAITING = "sleep 60; gh pr checks 7"
REFUSED = "Permission to use this tool has been denied"

CIRCLES: dict[str, Sequence[Turn]] = {
    "the same call fails the same way": each(TEST.fails()),
    "with other times in its answer": numbered(lambda at: TEST.fails(f"3 failed in {at}.1 s")),
    "with other words about it": numbered(
        lambda at: bash("npm test", description=f"Try {at}", timeout=1000 + at).fails()
    ),
    "it looks at the same file in between": each(read("a.py"), TEST.fails()),
    "two failing calls in turn": each(TEST.fails(), bash("make").fails("make: nothing here")),
    "an edit there and back": each(edit("a", "1"), TEST.fails(), edit("a", "2"), TEST.fails()),
    "an edit that does not fit": each(edit("a", "1").fails("String to replace not found")),
    "a call that fails without a word": each(bash("test -f x").fails("Exit code 1")),
    "several at once": [[TEST.fails(), read("x").fails("Cancelled: a parallel call failed")]] * 50,
    "the same answer, without failing": each(bash("cat build.log", "still building")),
    "a picture that stays the same": each(replace(read("a.png"), answer=[{"type": "image"}])),
    "all that it tries is refused": numbered(lambda at: bash(f"make t{at}").fails(REFUSED)),
    "a circle of many steps": each(*(bash(f"make t{at}").fails(f"no t{at}") for at in range(9))),
    "a job is asked for without waiting": each(
        Made(tool="TaskOutput", given={"task_id": "b1", "block": False}, answer="running")
    ),
    "it reads other files for ever": numbered(lambda at: read(f"f{at}", f"text {at}")),
    "it searches for ever": numbered(
        lambda at: bash(f"cd src && grep -rn 'a|b > {at}' . 2>/dev/null | head", f"hit {at}")
    ),
    "its edits fail, and it looks between them": [
        [made]
        for at in range(50)
        for made in (edit("a", str(at)).fails(f"not found: {'y' * at}"), read(f"f{at}"))
    ],
}
WORK: dict[str, Sequence[Turn]] = {
    "one failing call less": each(TEST.fails(), times=CALLS),
    "a test after each edit": [
        [made] for at in range(100) for made in (edit("a", str(at)), TEST.fails())
    ],
    "a test whose failures become other ones": numbered(
        lambda at: TEST.fails(f"{'x' * at} is missing")
    ),
    "it waits for CI": each(bash(WAITING, "build pending").fails("Exit code 8\nbuild pending")),
    "it asks for CI": each(CHECKS.fails("Exit code 8\nbuild pending")),
    "it waits for a job": each(
        Made(tool="TaskOutput", given={"task_id": "b1", "block": True}, answer="running")
    ),
    "a loop of its shell that waits": each(bash("until curl -s :80; do :; done").fails()),
    "other arguments each time": numbered(
        lambda at: bash(f"pip install a{at}").fails(f"No matching distribution for a{'x' * at}")
    ),
    "failing without a word, each another call": numbered(
        lambda at: bash(f"make t{at}").fails("Exit code 1")
    ),
    "files read again after the conversation was compacted": [[edit("a", "1")], *REREAD[:-25]],
    "what goes on is looked at": numbered(
        lambda at: bash("tail build.log", f"{at}% done"), TURNS - 1
    ),
    "thirty calls at once that one error ends": [[TEST.fails(REFUSED)] * 30] * (CALLS - 1),
    "a build that is run with other flags": numbered(
        lambda at: bash(f"make -j{at}").fails(f"error in {'y' * at}.c")
    ),
    "pages of one file": numbered(
        lambda at: Made(tool="Write", given={"file_path": f"p{at}", "content": "x"})
    ),
    "nothing at all": [],
}


@pytest.mark.parametrize("name", CIRCLES)
def test_circle_is_found(name: str) -> None:
    loop, _ = heard(lines(CIRCLES[name]))

    assert loop is not None
    assert loop.why


@pytest.mark.parametrize("name", WORK)
def test_work_is_no_circle(name: str) -> None:
    assert heard(lines(WORK[name])) == (None, 0)


READING = numbered(lambda at: read(f"f{at}", f"text {at}"))


@pytest.mark.parametrize(
    ("task", "stopped"),
    [
        (make_spec(), True),
        (make_spec(issue=None, mode=Mode.UPDATE), True),
        (make_spec(issue=None, mode=Mode.READ), False),
        (make_spec(issue=None, mode=Mode.ISSUE), False),
        (make_spec(issue=None, mode=Mode.FREE), False),
    ],
)
def test_only_work_that_is_commits_has_to_change_something(task: Any, stopped: bool) -> None:
    told = patience(Settings(run_idle_turns=TURNS), task)

    assert (heard(lines(READING), told)[0] is not None) is stopped


@pytest.mark.parametrize("name", CIRCLES)
def test_zero_is_no_limit(name: str) -> None:
    assert heard(lines(CIRCLES[name]), Patience()) == (None, 0)


def test_it_is_found_as_soon_as_the_model_answers_once_more() -> None:
    _, number = heard(lines(each(TEST.fails())))

    assert number == 2 * CALLS + 1


def test_what_did_not_fail_is_given_three_times_as_long() -> None:
    _, number = heard(lines(each(bash("make t", "the same"))))

    assert number == 2 * 3 * CALLS + 1


def test_subagents_are_told_apart_and_one_in_a_circle_is_found() -> None:
    several = [lines(each(TEST.fails(), times=CALLS - 1), f"toolu_of_{at}") for at in range(9)]
    apart = list(chain.from_iterable(zip(*several, strict=True)))  # in the middle of each other
    one = lines(each(TEST.fails()), "toolu_of_one")

    assert heard(apart) == (None, 0)
    assert heard(one)[0] is not None


def test_subagent_that_only_reads_has_nothing_to_change() -> None:
    assert heard(lines(READING, "toolu_of_one")) == (None, 0)


def test_agent_that_comes_out_of_it_is_in_none() -> None:
    loops, stream = Loops(PATIENCE), Stream()
    for line in lines([*each(TEST.fails(), times=CALLS + 3), [edit("a", "1")], [TEST]]):
        for act in stream.take(line).acts():
            loops.hear(act)

    assert loops.found is None


def test_it_is_said_what_was_done_and_secrets_are_not_cut_in_two() -> None:
    secret = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyzABCD"
    call = bash(f"curl -H {'h' * 100} {secret} x").fails(f"401 {'n' * 90} {secret}")
    loop, _ = heard(lines(each(call, read("a.py"))))

    assert loop is not None
    said = loop.describe(lambda text: text.replace(secret, "[secret]"))

    assert "times with the same answer, in turn with 1 other; the last call, " in said
    assert "ghp_" not in said
    assert len(said) < 400


HOSTILE = [
    b'{"type":"assistant"}',
    b'{"type":"assistant","message":{"content":[{"type":"tool_use","input":7}]}}',
    b'{"type":"assistant","message":{"id":[],"content":[{"type":"tool_use","id":{},"input":[]}]}}',
    b'{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":[],"content":{}}]}}',
    b'{"type":"user","message":7}',
    b'{"type":"assistant","message":{"content":[{"type":"tool_use","input":{"a":'
    + b"[" * 900
    + b"]" * 900
    + b"}}]}}",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_lines_that_are_not_as_claude_writes_them_are_no_circle(line: bytes) -> None:
    assert heard(repeat(line, 200)) == (None, 0)


CALL = st.tuples(st.sampled_from(["Bash", "Read", "Edit", "mcp__x"]), st.booleans())


@given(st.lists(CALL, max_size=80))
def test_calls_that_differ_in_call_and_error_are_never_a_circle(calls: list[Any]) -> None:
    turns = [
        [Made(tool=tool, given={"path": str(at)}, answer=f"{'e' * at} no", failed=failed)]
        for at, (tool, failed) in enumerate(calls)
    ]

    assert heard(lines(turns), Patience(calls=1 + CALLS)) == (None, 0)


@given(st.lists(st.sampled_from("abcd"), max_size=4, unique=True), st.integers(4, 9))
def test_a_circle_of_failing_calls_is_found_in_as_many_turns(names: list[str], most: int) -> None:
    around = each(*(bash(one).fails(f"{one} is not there, sorry") for one in names))
    _, number = heard(lines(around), Patience(calls=most))

    assert number == (2 * (most + len(names) - 1) + 1 if names else 0)
