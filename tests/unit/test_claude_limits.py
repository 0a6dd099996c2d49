"""What claude's words for a failure mean for the account: each row of the tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cw.reasons import Reason
from tests.making import NOW
from workerhost.claude.limits import KINDS, STATUSES, WORDS
from workerhost.claude.stream import Stream
from workerhost.programs.progress import Failure

LATER = NOW + timedelta(hours=3)
AWAY, KEY = Reason.API_UNAVAILABLE, Reason.AUTHENTICATION_FAILED


def failed(*before: dict[str, Any], **said: Any) -> Failure:
    """What a run of these lines comes to, which then ends as claude's do. `said`: error, api_error,
    status, model.
    """
    stream = Stream()
    init = {"type": "system", "subtype": "init", "model": said.get("model", "claude-sonnet-5")}
    last = {"type": "assistant", "message": {"id": "m"}}
    last |= {name: said[name] for name in ("error", "api_error") if said.get(name)}
    result = {
        "type": "result",
        "subtype": "success",
        "is_error": True,
        "api_error_status": said.get("status"),
        "result": "its words",
    }
    for line in (init, *before, last, result):
        stream.take(json.dumps(line).encode())
    assert stream.progress.failure
    return stream.progress.failure


def limit(status: str = "rejected", kind: str = "five_hour", **more: Any) -> dict[str, Any]:
    info = {"status": status, "resetsAt": int(LATER.timestamp()), "rateLimitType": kind}
    return {"type": "rate_limit_event", "rate_limit_info": info | more}


@pytest.mark.parametrize(("word", "reason"), WORDS.items())
def test_each_word(word: str, reason: Reason) -> None:
    assert failed(error=word, status=400).reason is reason


@pytest.mark.parametrize(("kind", "reason"), KINDS.items())
def test_each_kind_says_more_than_the_word(kind: str, reason: Reason) -> None:
    expected = Reason.BILLING_ERROR if kind == "usage_limit_reached" else reason  # without a reset

    assert failed(error="rate_limit", api_error=kind, status=429).reason is expected


@pytest.mark.parametrize(("status", "reason"), STATUSES.items())
def test_each_status_where_no_word_is_known(status: int, reason: Reason) -> None:
    assert failed(error="a new word", status=status).reason is reason


def test_nobody_answered() -> None:
    assert failed(error="a new word", status=None).reason is AWAY


def test_limit_with_a_reset_waits_for_it() -> None:
    found = failed(limit(), error="rate_limit", status=429)

    assert (found.reason, found.scope) == (Reason.USAGE_LIMIT, "*")
    assert found.until == datetime.fromtimestamp(int(LATER.timestamp()), UTC)


@pytest.mark.parametrize(
    ("kind", "scope"),
    [("seven_day_opus", "opus"), ("seven_day_sonnet", "sonnet"), ("seven_day", "*")],
)
def test_limit_of_one_model_holds_that_model(kind: str, scope: str) -> None:
    assert failed(limit(kind=kind), error="rate_limit", status=429).scope == scope


@pytest.mark.parametrize("word", ["authentication_failed", "billing_error", "account_on_hold"])
def test_what_needs_a_person_comes_before_a_limit(word: str) -> None:
    assert failed(limit(), error=word, status=401).reason in {KEY, Reason.BILLING_ERROR}


def test_latest_word_counts() -> None:
    found = failed(limit(), limit("allowed"), error="rate_limit", status=429)

    assert found.reason is AWAY


def test_window_that_says_rejected_refuses_nothing_by_itself() -> None:
    windows = {"seven_day": {"status": "rejected", "utilization": 1.2, "resetsAt": 1}}
    found = failed(limit("allowed", unifiedWindows=windows), error="server_error", status=529)

    assert found.reason is AWAY


def test_rejected_without_a_reset_passes() -> None:
    """The API is asked too fast; it is not the usage limit."""
    said = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"}}

    assert failed(said, error="rate_limit", status=429).reason is AWAY


def test_model_that_needs_credits_holds_that_model() -> None:
    kind = "model_requires_usage_credits"
    for family in ("opus", "fable"):
        model = f"claude-{family}-5"
        found = failed(error="rate_limit", api_error=kind, status=429, model=model)

        assert (found.reason, found.scope) == (Reason.BILLING_ERROR, family)


@pytest.mark.parametrize("status", [401, 402, 403])
def test_request_that_is_refused_for_its_credential_is_not_the_tasks_fault(status: int) -> None:
    assert failed(error="invalid_request", status=status).reason is STATUSES[status]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"utilization": 0.83}, [("five_hour", 0.83)]),
        (
            {
                "unifiedWindows": {
                    "seven_day": {"utilization": 0.4, "resetsAt": 1},
                    "five_hour": {"utilization": 1.2, "resetsAt": 1},
                }
            },
            [("five_hour", 1.2), ("seven_day", 0.4)],
        ),
        ({}, []),
        ({"utilization": "much"}, []),
        ({"unifiedWindows": {"five_hour": None, "seven_day": {"utilization": 1}}}, []),
    ],
)
def test_windows_are_read_from_newer_and_older_versions(
    more: dict[str, Any], told: list[tuple[str, float]]
) -> None:
    stream = Stream()

    stream.take(json.dumps(limit("allowed", **more)).encode())

    found = stream.progress.windows
    assert [(window.kind, window.utilization) for window in found] == told
