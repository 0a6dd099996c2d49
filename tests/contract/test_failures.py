"""How a run ends when the API does not answer, or the limit of turns is reached."""

import time

import pytest

from tests.contract.room import Ended, Line, Room
from tests.standins.messages import bash, drop, error, limit_headers, text, usage_limit

OAUTH = {"ANTHROPIC_API_KEY": None, "CLAUDE_CODE_OAUTH_TOKEN": "dummy-token"}
SOON_S = 20  # far below the three minutes that ten retries take


def assert_failed_at_api(room: Room, ended: Ended, status: int | None, kind: str) -> None:
    synthetic = ended.of("assistant")[-1]

    assert ended.rc == 1
    assert (ended.result["subtype"], ended.result["is_error"]) == ("success", True)
    assert ended.result["api_error_status"] == status
    assert ended.result["total_cost_usd"] == 0
    assert (synthetic["message"]["model"], synthetic["error"]) == ("<synthetic>", kind)
    reasons = room.claude.differs(old="completed", new="api_error")
    assert ended.result["terminal_reason"] in reasons


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "authentication_failed"), (429, "rate_limit"), (529, "server_error")],
)
def test_without_retries_the_first_error_ends_the_run(room: Room, status: int, kind: str) -> None:
    begun = time.monotonic()
    ended = room.run(error(status))

    assert_failed_at_api(room, ended, status, kind)
    assert len(ended.requests) == 1
    assert time.monotonic() - begun < SOON_S


def test_bad_request_is_not_retried_slowly(room: Room) -> None:
    """New versions repeat it at once with fewer beta features, then give up."""
    ended = room.run(error(400), env={"CLAUDE_CODE_MAX_RETRIES": None})

    assert_failed_at_api(room, ended, 400, "unknown")
    assert ended.of("system", "api_retry") == []
    assert len(ended.requests) in room.claude.differs(old=1, new=6)


def test_retries_are_announced_and_wait_as_long_as_the_server_says(room: Room) -> None:
    slow_down = error(429, headers={"retry-after": "1"}, times=1)
    ended = room.run(slow_down, text("Done."), env={"CLAUDE_CODE_MAX_RETRIES": "1"})
    retry = ended.of("system", "api_retry")[0]

    assert (retry["attempt"], retry["error_status"]) == (1, 429)
    assert 1000 <= retry["retry_delay_ms"] < 1500  # new versions add some at random
    assert (ended.rc, ended.result["is_error"]) == (0, False)


def test_dropped_connection_has_no_status(room: Room) -> None:
    assert_failed_at_api(room, room.run(drop()), None, "server_error")


def test_empty_credit_is_a_billing_error(room: Room) -> None:
    ended = room.run(error(400, "Your credit balance is too low to access the Anthropic API."))

    assert_failed_at_api(room, ended, 400, "billing_error")


def test_no_credentials_fail_without_a_request(room: Room) -> None:
    ended = room.run(text("Done."), env={"ANTHROPIC_API_KEY": None})

    assert_failed_at_api(room, ended, None, "authentication_failed")
    assert "Not logged in" in ended.result["result"]
    assert ended.requests == []


def limits_of(ended: Ended) -> list[Line]:
    return [line["rate_limit_info"] for line in ended.of("rate_limit_event")]


def test_usage_limit_of_a_subscription_tells_when_it_resets(room: Room) -> None:
    resets_at = int(time.time()) + 3600
    ended = room.run(usage_limit(resets_at), env={**OAUTH, "CLAUDE_CODE_MAX_RETRIES": None})
    limit = limits_of(ended)[-1]

    assert_failed_at_api(room, ended, 429, "rate_limit")
    assert (limit["status"], limit["rateLimitType"]) == ("rejected", "five_hour")
    assert limit["resetsAt"] == resets_at
    assert len(ended.requests) == 1


def test_usage_limit_text_differs_so_only_the_event_is_read(room: Room) -> None:
    ended = room.run(usage_limit(time.time() + 3600), env=OAUTH)
    name = ended.result["result"].partition("hit your ")[2].partition(" limit")[0]

    assert name in room.claude.differs(old="session", new="5-hour")


def test_same_limit_with_a_key_brings_no_event(room: Room) -> None:
    ended = room.run(usage_limit(time.time() + 3600))

    assert_failed_at_api(room, ended, 429, "rate_limit")
    assert limits_of(ended) == []


def test_warning_of_a_limit_comes_in_a_run_that_succeeds(room: Room) -> None:
    resets_at = int(time.time()) + 3600
    headers = limit_headers("allowed_warning", resets_at, utilization=0.83)
    headers["anthropic-ratelimit-unified-5h-surpassed-threshold"] = "0.75"
    ended = room.run(text("Done.", headers=headers), env=OAUTH)
    limit = limits_of(ended)[-1]

    assert ended.rc == 0
    assert (limit["status"], limit["resetsAt"]) == ("allowed_warning", resets_at)
    assert limit["utilization"] == pytest.approx(0.83)


def test_limit_of_turns_ends_the_run(room: Room) -> None:
    endless = [bash(f"echo {number}") for number in range(9)]
    ended = room.run(*endless, flags=["--max-turns", "2"])

    assert ended.rc == 1
    assert (ended.result["subtype"], ended.result["is_error"]) == ("error_max_turns", True)
    assert ended.result["errors"] == ["Reached maximum number of turns (2)"]
    assert len(ended.requests) == 2


def test_limit_of_money_ends_the_run_after_the_turn_that_passed_it(room: Room) -> None:
    endless = [bash(f"echo {number}") for number in range(9)]
    ended = room.run(*endless, flags=["--max-budget-usd", "0.000001"])

    assert ended.rc == 1
    assert (ended.result["subtype"], ended.result["is_error"]) == ("error_max_budget_usd", True)
    assert ended.result["errors"]
    assert len(ended.requests) < len(endless)
