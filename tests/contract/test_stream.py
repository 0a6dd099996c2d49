"""The lines on stdout, read from one ordinary run."""

import stat
from itertools import groupby

import pytest

from tests.contract.binaries import Claude
from tests.contract.ordinary import LAST_USAGE, Ordinary
from tests.contract.room import Ended

# Dollars per million tokens: input, output, cache read, cache write.
PRICES = {
    "claude-sonnet-5": (3.0, 15.0, 0.3, 3.75),
    "claude-sonnet-5-5": (2.0, 10.0, 0.1, 2.5),
}


@pytest.fixture
def run(ordinary: Ordinary) -> Ended:
    return ordinary.ended


def test_ordinary_run_succeeds_quietly(run: Ended) -> None:
    assert (run.rc, run.err) == (0, "")


def test_init_is_the_line_before_the_first_answer(run: Ended) -> None:
    kinds = [(line["type"], line.get("subtype")) for line in run.lines]

    assert kinds.index(("system", "init")) < kinds.index(("assistant", None))
    assert kinds.count(("system", "init")) == 1


def test_init_tells_session_model_version_and_folder(
    run: Ended, ordinary: Ordinary, claude: Claude
) -> None:
    assert run.init["session_id"] == run.session
    assert run.init["claude_code_version"] == claude.dotted
    assert run.init["cwd"] == str(ordinary.room.work)
    assert run.init["permissionMode"] == "dontAsk"
    assert run.init["apiKeySource"] == "ANTHROPIC_API_KEY"


def test_sonnet_is_resolved_to_a_full_name(run: Ended, claude: Claude) -> None:
    resolved = claude.differs(old="claude-sonnet-5", new="claude-sonnet-5-5")

    assert run.init["model"] in resolved
    assert {request.body["model"] for request in run.requests} == {run.init["model"]}


def test_each_line_carries_session_and_uuid(run: Ended) -> None:
    assert {line["session_id"] for line in run.lines} == {run.session}
    assert len({line["uuid"] for line in run.lines}) == len(run.lines)


def test_each_assistant_line_carries_one_block_and_shares_the_message_id(run: Ended) -> None:
    lines = run.of("assistant")
    shared = [len(list(some)) for _, some in groupby(lines, lambda line: line["message"]["id"])]

    assert {len(line["message"]["content"]) for line in lines} == {1}
    assert shared == [3, 1, 1, 1, 1, 1, 1]


def test_tool_results_name_their_calls(run: Ended) -> None:
    """Calls of one answer run side by side, so their results come in any order."""
    calls = [one["id"] for one in run.blocks("assistant") if one["type"] == "tool_use"]
    answered = [one["tool_use_id"] for one in run.blocks("user")]

    assert sorted(answered) == sorted(calls)


def test_bash_result_comes_with_its_output_apart(run: Ended) -> None:
    seen = next(line["tool_use_result"] for line in run.of("user"))

    assert {"stdout", "stderr", "interrupted"} <= set(seen)


def test_result_is_the_last_line(run: Ended) -> None:
    assert run.lines[-1]["type"] == "result"
    assert len(run.of("result")) == 1


def test_result_tells_how_it_went(run: Ended) -> None:
    expected = {
        "subtype": "success",
        "is_error": False,
        "api_error_status": None,
        "result": "Finished.",
        "stop_reason": "end_turn",
        "terminal_reason": "completed",
    }

    assert {name: run.result[name] for name in expected} == expected
    assert 0 < run.result["duration_api_ms"] <= run.result["duration_ms"]


def test_turns_are_tool_calls_and_the_answer(run: Ended) -> None:
    assert run.result["num_turns"] == len(run.blocks("user")) + 1


def test_usage_is_the_sum_over_the_requests(run: Ended) -> None:
    usage, before = run.result["usage"], len(run.requests) - 1

    assert usage["input_tokens"] == LAST_USAGE.input_tokens + 1_000 * before
    assert usage["output_tokens"] == LAST_USAGE.output_tokens + 100 * before
    assert usage["cache_read_input_tokens"] == LAST_USAGE.cache_read_input_tokens
    assert usage["cache_creation_input_tokens"] == LAST_USAGE.cache_creation_input_tokens


def test_cost_is_usage_times_price(run: Ended) -> None:
    model, usage = run.init["model"], run.result["usage"]
    tokens = (
        usage["input_tokens"],
        usage["output_tokens"],
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"],
    )
    priced = sum(count * price for count, price in zip(tokens, PRICES[model], strict=True))

    assert run.result["total_cost_usd"] == pytest.approx(priced / 1_000_000)


def test_model_usage_adds_up_to_the_total(run: Ended) -> None:
    by_model = run.result["modelUsage"]

    assert list(by_model) == [run.init["model"]]
    assert run.result["total_cost_usd"] == pytest.approx(by_model[run.init["model"]]["costUSD"])


def test_context_window_of_sonnet(run: Ended, claude: Claude) -> None:
    window = run.result["modelUsage"][run.init["model"]]["contextWindow"]

    assert window in claude.differs(old=200_000, new=1_000_000)


def test_to_dos_can_be_followed_in_the_stream(run: Ended) -> None:
    seen = [line["tool_use_result"] for line in run.of("user")]
    created = next(one["task"] for one in seen if "task" in one)
    changed = next(one for one in seen if "statusChange" in one)

    assert (created["id"], created["subject"]) == ("1", "Build")
    assert (changed["taskId"], changed["statusChange"]["to"]) == ("1", "completed")


def test_transcript_lies_where_the_folder_name_says(ordinary: Ordinary) -> None:
    letters = (c if c.isascii() and c.isalnum() else "-" for c in str(ordinary.room.work))
    projects = ordinary.room.home / ".claude" / "projects"
    expected = projects / "".join(letters) / f"{ordinary.ended.session}.jsonl"

    assert ordinary.room.transcripts == [expected]
    assert stat.S_IMODE(expected.stat().st_mode) == 0o600


def test_to_do_file_is_named_after_the_session(ordinary: Ordinary) -> None:
    folder = ordinary.room.home / ".claude" / "tasks" / ordinary.ended.session

    assert '"completed"' in (folder / "1.json").read_text(encoding="utf-8")
