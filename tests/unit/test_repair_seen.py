"""What a repair is to people and to passes: work at a pull request, which says what is needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cw.errors import NothingLeftError
from cw.models import Task
from cw.operations.assignment.eligibility import done_with
from cw.operations.dispatch.branch_choice import Standing, choose, left_by
from cw.operations.reconciliation.agreement import IssueState, decide, needs_pull
from cw.operations.views.history import from_record
from cw.operations.views.overview import about
from cw.operations.views.unseen import Recent, unseen
from cw.pulls.record import Cause
from cw.states import OutcomeKind, State
from tests.making import NOW, make_outcome, make_spec, make_task
from tests.repairs import URL, make_repair_spec

KINDS = (OutcomeKind.SUCCEEDED, OutcomeKind.FAILED, OutcomeKind.STOPPED)


def ended(kind: OutcomeKind = OutcomeKind.FAILED, **outcome: Any) -> Task:
    done = make_outcome(kind, reason="r", **outcome)
    spec = make_repair_spec()
    return make_task(State.DONE, spec=spec, worker="01", outcome=done, ended_at=NOW)


@pytest.mark.parametrize(
    ("cause", "words"),
    [(Cause.CONFLICT, "a conflict"), (Cause.CHECKS, "red checks"), (Cause.REVIEW, "a review")],
)
def test_repair_is_shown_as_such(cause: Cause, words: str) -> None:
    spec = make_repair_spec(cause)
    task = make_task(State.DONE, spec=spec, outcome=make_outcome(), ended_at=NOW)
    row = from_record(task)

    assert row
    assert about(task).title == row.title == f"repair of acme/app#31: {words} · The build fails"
    assert make_spec().headline == "The build fails"


@pytest.mark.parametrize("kind", KINDS)
def test_issue_is_done_with_however_its_repair_ended(kind: OutcomeKind) -> None:
    assert done_with(ended(kind)) == URL


def test_failed_repair_is_not_among_what_failed() -> None:
    other = make_task(
        State.DONE,
        spec=make_spec(issue=7),
        outcome=make_outcome(OutcomeKind.FAILED),
        ended_at=NOW,
    )

    rows = unseen(Recent([ended(), other], whole=True), ())

    assert [row.about.issue for row in rows] == [7]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("pull", "steps"), [("open", []), ("closed", ["block"])])
def test_closed_pull_request_of_a_repair_is_seen(
    kind: OutcomeKind, pull: str, steps: list[str]
) -> None:
    seen = IssueState(
        open=True,
        labels=(),
        finished=ended(kind),
        pull=pull,
        workers=frozenset({"01"}),
        now=NOW + timedelta(hours=1),
        grace=timedelta(minutes=2),
    )

    assert needs_pull(seen)
    assert [step.do.value for step in decide(seen)] == steps


def test_number_of_its_pull_request_is_known_without_an_outcome_that_names_it() -> None:
    assert ended(pr="").pull == URL
    assert ended(pr="https://github.com/acme/app/pull/32").pull.endswith("/32")
    assert make_task(State.QUEUED).pull == ""


def test_its_branch_is_left_as_the_task_s_own() -> None:
    pushed = ended(branch="issue-22", head="b" * 40, pushed=True)

    assert left_by(ended()) == {"issue-22": "a" * 40}
    assert left_by(pushed) == {"issue-22": "b" * 40}


@pytest.mark.parametrize(
    ("sha", "words"), [("b" * 40, "somebody has moved issue-22 on"), ("", "gone")]
)
def test_repair_of_a_branch_that_moved_on_begins_nothing(sha: str, words: str) -> None:
    with pytest.raises(NothingLeftError, match=words):
        choose(make_repair_spec(), lambda _: Standing(sha), lambda _: False)


def test_repair_takes_the_branch_of_its_pull_request() -> None:
    found = choose(make_repair_spec(), lambda _: Standing("a" * 40), lambda _: False)

    assert (found.branch, found.sha) == ("issue-22", "a" * 40)
