"""The verdict on a run's process: what the exit record and the result line prove."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cw.homes.journal import Cut
from cw.reasons import Reason, rule_of
from cw.states import OutcomeKind
from tests.making import NOW
from workerhost.agents.follow import Ending
from workerhost.agents.launch import Exit
from workerhost.claude.stream import Stream
from workerhost.programs.progress import Progress
from workerhost.settling.verdict import FINISHED, Verdict, cut_short, judge_process

DEFER = timedelta(minutes=10)
FAILED, DEFERRED, STOPPED = OutcomeKind.FAILED, OutcomeKind.DEFERRED, OutcomeKind.STOPPED
SUCCESS = {"type": "result", "subtype": "success", "is_error": False, "num_turns": 3}


def ended(rc: int = 0, cause: str = "exit") -> Exit:
    return Exit(rc=rc, cause=cause, started_at=0.0, ended_at=1.0)


def read(*lines: dict[str, Any]) -> Progress:
    stream = Stream()
    for line in lines:
        stream.add(line)
    return stream.progress


def judge(
    rc: int, *lines: dict[str, Any], cause: str = "exit", ending: Ending = Ending.EXITED
) -> Verdict:
    return judge_process(ending, ended(rc, cause), read(*lines), NOW, DEFER)


def api_failure(status: int | None, word: str, said: str = "API Error") -> list[dict[str, Any]]:
    """The last lines of a run that the API refused, as claude writes them."""
    message = {"id": "m", "model": "<synthetic>", "content": [{"type": "text", "text": said}]}
    failed = {"is_error": True, "api_error_status": status, "result": said}
    return [{"type": "assistant", "error": word, "message": message}, SUCCESS | failed]


def limit(status: str, resets_at: datetime | None) -> dict[str, Any]:
    info: dict[str, Any] = {"status": status, "rateLimitType": "five_hour"}
    if resets_at:
        info["resetsAt"] = int(resets_at.timestamp())
    return {"type": "rate_limit_event", "rate_limit_info": info}


def test_good_result_leaves_the_decision_to_git() -> None:
    assert judge(0, SUCCESS) == FINISHED


@pytest.mark.parametrize(
    ("status", "word", "kind", "reason"),
    [
        (401, "authentication_failed", DEFERRED, "authentication_failed"),
        (403, "authentication_failed", DEFERRED, "authentication_failed"),
        (None, "authentication_failed", DEFERRED, "authentication_failed"),  # not logged in
        (400, "unknown", FAILED, "api_error"),
        (400, "billing_error", DEFERRED, "billing_error"),
        (404, "model_not_found", FAILED, "model_not_found"),
        (429, "rate_limit", DEFERRED, "api_unavailable"),  # too fast, not the usage limit
        (500, "server_error", DEFERRED, "api_unavailable"),
        (529, "overloaded", DEFERRED, "api_unavailable"),
        (529, "server_error", DEFERRED, "api_unavailable"),  # newer versions
        (None, "server_error", DEFERRED, "api_unavailable"),  # connection dropped
    ],
)
def test_what_the_api_said_decides(
    status: int | None, word: str, kind: OutcomeKind, reason: str
) -> None:
    verdict = judge(1, *api_failure(status, word))

    assert (verdict.kind, verdict.reason) == (kind, reason)
    passes = reason == "api_unavailable"
    assert verdict.retry_at == (NOW + DEFER if passes else NOW if kind is DEFERRED else None)


def test_api_failure_without_a_synthetic_message_is_known_by_its_status() -> None:
    _, result = api_failure(529, "overloaded")

    assert judge(1, result).reason == "api_unavailable"


def test_usage_limit_waits_until_it_resets() -> None:
    resets_at = NOW + timedelta(hours=3)

    verdict = judge(1, limit("rejected", resets_at), *api_failure(429, "rate_limit"))

    assert (verdict.kind, verdict.reason) == (DEFERRED, "usage_limit")
    assert verdict.retry_at is not None
    assert timedelta() < verdict.retry_at - resets_at < timedelta(minutes=1)


def test_usage_limit_that_is_over_already_waits_no_more() -> None:
    past = NOW - timedelta(hours=1)

    verdict = judge(1, limit("rejected", past), *api_failure(429, "rate_limit"))

    assert verdict.retry_at is not None
    assert NOW < verdict.retry_at < NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("after", "status", "word", "reason"),
    [
        ("rejected", 401, "authentication_failed", "authentication_failed"),
        ("allowed", 401, "authentication_failed", "authentication_failed"),
        ("allowed", 529, "server_error", "api_unavailable"),
        ("allowed_warning", 429, "rate_limit", "api_unavailable"),
        ("rejected", 429, "rate_limit", "usage_limit"),
    ],
)
def test_limit_counts_as_the_latest_word_and_never_before_a_refused_credential(
    after: str, status: int, word: str, reason: str
) -> None:
    later = NOW + timedelta(days=5)

    verdict = judge(1, limit("rejected", later), limit(after, later), *api_failure(status, word))

    assert verdict.reason == reason


def test_rejection_that_names_no_end_waits_the_usual_pause() -> None:
    verdict = judge(1, limit("rejected", None), *api_failure(429, "rate_limit"))

    assert (verdict.reason, verdict.retry_at) == ("api_unavailable", NOW + DEFER)


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (3_600_000, timedelta(hours=1)),
        (500, DEFER),
        (None, DEFER),
        ("soon", DEFER),
        (-5, DEFER),
        (1e300, timedelta(days=1)),
        (float("nan"), DEFER),
    ],
)
def test_what_the_api_asks_to_wait_is_obeyed_up_to_a_day(asked: object, waits: timedelta) -> None:
    """An API key's 429 has no reset, but a retry-after, which claude hands on."""
    told = {"type": "system", "subtype": "api_retry", "attempt": 1, "retry_delay_ms": asked}

    verdict = judge(1, told, *api_failure(429, "rate_limit"))

    assert (verdict.reason, verdict.retry_at) == ("api_unavailable", NOW + waits)


def test_warning_of_a_limit_changes_nothing() -> None:
    assert judge(0, limit("allowed_warning", NOW), SUCCESS) == FINISHED


def test_error_of_a_subagent_does_not_fail_a_run_that_went_on() -> None:
    refused, _ = api_failure(529, "overloaded")

    assert judge(0, refused | {"parent_tool_use_id": "toolu_1"}, SUCCESS) == FINISHED


def test_error_that_the_agent_got_over_does_not_fail_the_run() -> None:
    refused, _ = api_failure(529, "overloaded")
    later = {"type": "assistant", "message": {"id": "m2", "content": []}}

    assert judge(0, refused, later, SUCCESS) == FINISHED
    assert judge(0, refused, SUCCESS) == FINISHED


@pytest.mark.parametrize("rc", [0, 1, 137])
@pytest.mark.parametrize(
    "cause", ["exit", "finished", "time_limit", "stalled", "memory", "log_size", "disk_full"]
)
def test_after_a_good_last_word_git_decides(rc: int, cause: str) -> None:
    assert judge(rc, SUCCESS, cause=cause) == FINISHED


@pytest.mark.parametrize(
    ("rc", "result", "reason"),
    [
        (0, SUCCESS | {"is_error": True, "result": "No."}, "agent_error"),
        (1, {"subtype": "error_max_turns", "is_error": True, "errors": ["9"]}, "error_max_turns"),
        (1, {"subtype": "error_max_budget_usd", "is_error": True}, "error_max_budget_usd"),
        (0, {"subtype": "error_during_execution", "is_error": True}, "error_during_execution"),
        (0, SUCCESS | {"num_turns": 0, "result": "", "local_command": "clear"}, "nothing_sent"),
    ],
)
def test_result_line_is_read_whatever_the_exit_code(
    rc: int, result: dict[str, Any], reason: str
) -> None:
    verdict = judge(rc, {"type": "result", **result})

    assert (verdict.kind, verdict.reason) == (FAILED, reason)


@pytest.mark.parametrize("rc", [137, 143])
def test_signal_after_the_last_word_leaves_the_decision_to_the_evidence(rc: int) -> None:
    assert judge(rc, SUCCESS) == FINISHED


def test_first_error_of_the_result_is_the_message() -> None:
    verdict = judge(
        1, {"type": "result", "subtype": "error_max_turns", "errors": ["Reached 9", "x"]}
    )

    assert verdict.message == "Reached 9"


@pytest.mark.parametrize("rc", [0, 1, 137, 143])
def test_without_a_result_line_no_exit_code_is_a_success(rc: int) -> None:
    """An interrupt while waiting for the model ends with 0."""
    verdict = judge(rc)

    assert (verdict.kind, verdict.reason) == (FAILED, "killed")
    assert str(rc) in verdict.message


@pytest.mark.parametrize(
    ("cause", "kind", "reason"),
    [
        ("stopped", STOPPED, "stopped"),
        ("time_limit", FAILED, "time_limit"),
        ("stalled", FAILED, "stalled"),
        ("memory", FAILED, "memory"),
        ("disk_full", DEFERRED, "disk_full"),
    ],
)
def test_what_we_did_to_the_run_comes_before_what_it_said(
    cause: str, kind: OutcomeKind, reason: str
) -> None:
    verdict = judge(1, *api_failure(529, "overloaded"), cause=cause)

    assert (verdict.kind, verdict.reason) == (kind, reason)


def test_run_without_an_exit_record_is_lost() -> None:
    for ending, found in ((Ending.LOST, None), (Ending.EXITED, None), (Ending.LOST, ended())):
        verdict = judge_process(ending, found, read(), NOW, DEFER)

        assert (verdict.kind, verdict.reason) == (FAILED, "lost")


@pytest.mark.parametrize(
    ("ending", "found"),
    [(Ending.LOST, None), (Ending.EXITED, ended(1, cause="stopped"))],
)
def test_run_whose_agent_had_ended_well_is_judged_by_its_work(
    ending: Ending, found: Exit | None
) -> None:
    assert judge_process(ending, found, read(SUCCESS), NOW, DEFER) == FINISHED


def test_message_is_one_line_of_bearable_length() -> None:
    verdict = judge(0, SUCCESS | {"is_error": True, "result": "a\nb\t" + "c" * 9000})

    assert "\n" not in verdict.message
    assert len(verdict.message) <= 500
    assert verdict == replace(verdict, kind=FAILED, reason="agent_error")


@pytest.mark.parametrize(
    ("cause", "cut", "lines", "reason"),
    [
        ("stopped", Reason.LOOPING, [], "looping"),
        ("stopped", Reason.SHARED_BUDGET, [], "shared_budget"),
        ("stopped", "", [], "stopped"),
        ("stopped", Reason.LOOPING, [SUCCESS], "finished"),
        ("memory", Reason.LOOPING, [], "memory"),
        ("exit", Reason.LOOPING, [], "killed"),
        ("exit", Reason.BUDGET, [SUCCESS | {"subtype": "error_max_turns"}], "budget"),
        ("exit", "", [SUCCESS | {"subtype": "error_max_turns"}], "error_max_turns"),
    ],
)
def test_what_its_host_stopped_a_run_for_counts(
    cause: str, cut: str, lines: list[dict[str, Any]], reason: str
) -> None:
    progress = read(*lines)
    verdict = judge_process(Ending.EXITED, ended(1, cause), progress, NOW, DEFER)

    verdict = cut_short(verdict, Cut(reason=cut, message="why") if cut else None, progress)

    assert verdict.reason == reason
    assert verdict.message != "why" or verdict.kind is rule_of(reason).kind
