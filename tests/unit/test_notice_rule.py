"""Which end of a task a person is told of, and what."""

from __future__ import annotations

from typing import Any

import pytest

from cw.models import Outcome
from cw.notices.notice import Notice
from cw.operations.rest.notices import End, is_notice, notice_of
from cw.reasons import RULES, Reason
from cw.redaction.redact import redactor
from cw.states import Move, OutcomeKind
from tests.making import NOW, make_outcome, make_spec

SUCCEEDED, FAILED = OutcomeKind.SUCCEEDED, OutcomeKind.FAILED
DEFERRED, STOPPED = OutcomeKind.DEFERRED, OutcomeKind.STOPPED
YES, NO = True, False

# kind, reason, move, told without being asked, told when asked
SITUATIONS = [
    (SUCCEEDED, "done", Move.FINISH, NO, YES),
    (FAILED, "no_changes", Move.FINISH, YES, YES),
    (FAILED, "not_pushed", Move.FINISH, YES, YES),
    (FAILED, "secret_pushed", Move.FINISH, YES, YES),
    (FAILED, "forbidden_push", Move.FINISH, YES, YES),
    (FAILED, "blocked", Move.FINISH, YES, YES),
    (FAILED, "agent_error", Move.FINISH, YES, YES),
    (FAILED, "error_max_turns", Move.FINISH, YES, YES),
    (FAILED, "killed", Move.FINISH, YES, YES),
    (DEFERRED, "authentication_failed", Move.HOLD, YES, YES),
    (DEFERRED, "billing_error", Move.HOLD, YES, YES),
    (FAILED, "time_limit", Move.FINISH, YES, YES),
    (FAILED, "not_started", Move.FINISH, YES, YES),
    (FAILED, "issue_changed", Move.FINISH, YES, YES),
    (FAILED, "github_unavailable", Move.FINISH, YES, YES),  # put off too often
    (FAILED, "usage_limit", Move.FINISH, YES, YES),
    (FAILED, "host_killed", Move.LOSE, YES, YES),
    (FAILED, "host_error", Move.LOSE, YES, YES),
    (FAILED, "lost", Move.LOSE, YES, YES),
    (FAILED, "lost", Move.EXPIRE, NO, NO),  # goes on in its session
    (DEFERRED, "killed", Move.EXPIRE, NO, NO),
    (DEFERRED, "usage_limit", Move.HOLD, NO, NO),
    (DEFERRED, "api_unavailable", Move.HOLD, NO, NO),
    (DEFERRED, "github_unavailable", Move.HOLD, NO, NO),
    (DEFERRED, "disk_full", Move.HOLD, NO, NO),
    (DEFERRED, "home_unfit", Move.INTERRUPT, NO, NO),  # goes to others
    (DEFERRED, "host_died", Move.HOLD, NO, NO),
    (DEFERRED, "interrupted", Move.INTERRUPT, NO, NO),
    (STOPPED, "stopped", Move.STOP, NO, NO),  # by a person, who may let it go on
    (FAILED, "lost", Move.STOP, NO, NO),  # somebody had asked for a stop
    (STOPPED, "reset", Move.CLOSE, NO, YES),
    (STOPPED, "cancelled", Move.CLOSE, NO, YES),
    (STOPPED, "issue_closed", Move.CLOSE, NO, YES),
    (STOPPED, "label_removed", Move.CLOSE, NO, YES),
]


@pytest.mark.parametrize(("kind", "reason", "move", "told", "asked"), SITUATIONS)
def test_a_person_is_told_of_what_does_not_move_without_one(
    kind: OutcomeKind, reason: str, move: Move, told: bool, asked: bool
) -> None:
    outcome = make_outcome(kind, reason=reason)

    found = [is_notice(outcome, move, asked=one) for one in (False, True)]

    assert found == [told, asked]


@pytest.mark.parametrize("reason", Reason)
def test_what_fails_waits_for_a_person_and_what_heals_does_not(reason: Reason) -> None:
    """The rule goes by the kind, and so by the table of reasons. What a repair leaves is its pull
    request's to say.
    """
    rule = RULES[reason]
    if rule.kind is OutcomeKind.FAILED:
        assert rule.person == (reason is not Reason.NOTHING_LEFT)
    elif rule.kind is not OutcomeKind.STOPPED:
        assert rule.person == (reason in {Reason.AUTHENTICATION_FAILED, Reason.BILLING_ERROR})


def told(outcome: Outcome, move: Move = Move.FINISH, attempt: int = 1, **changed: Any) -> Notice:
    end = End(make_spec(id="0" * 26, **changed), "01", attempt, outcome, move)
    found = notice_of(end, NOW, redactor({"API_TOKEN": "hunter2-hunter2"}))
    assert found
    return found


def failed(reason: str, message: str = "it did not work") -> Outcome:
    return make_outcome(FAILED, reason=reason, message=message)


@pytest.mark.parametrize(
    ("reason", "changed", "command"),
    [
        ("no_changes", {}, f"cw logs {'0' * 26}"),
        ("killed", {}, f"cw restart {'0' * 26}"),
        ("billing_error", {}, "cw resume 01"),
        ("blocked", {}, "cw dispatch -i acme/app#22"),
        ("blocked", {"issue": None}, f"cw show {'0' * 26}"),
        ("usage_limit", {}, f"cw restart {'0' * 26}"),
    ],
)
def test_it_says_what_to_type(reason: str, changed: dict[str, Any], command: str) -> None:
    assert told(failed(reason), **changed).next == command


def test_the_same_end_has_the_same_id_and_another_attempt_another() -> None:
    same = {told(failed("killed")).id, told(failed("killed", "in other words")).id}
    others = {
        told(failed("killed"), attempt=2).id,
        told(failed("lost")).id,
        told(failed("killed"), Move.LOSE).id,
    }

    assert (len(same), len(same | others)) == (1, 4)


def test_it_links_the_pull_request_else_the_issue_else_nothing() -> None:
    pull = "https://github.com/acme/app/pull/3"

    assert told(failed("no_changes").model_copy(update={"pr": pull})).link == pull
    assert told(failed("no_changes")).link == "https://github.com/acme/app/issues/22"
    assert told(failed("no_changes"), issue=None).link == ""


def test_words_of_others_are_one_line_bounded_and_without_secrets() -> None:
    said = f"hunter2-hunter2\n\x1b[31m{'x' * 2000} ghp_{'a' * 36}"

    notice = told(failed("agent_error", said), title=f"Use hunter2-hunter2\u202e {'y' * 900}")

    text = notice.model_dump_json()
    assert "hunter2" not in text
    assert "ghp_" not in text
    assert len(text) < 1500
    assert notice.why.isprintable()
    assert notice.title.isprintable()
