"""Which failures count, and what they pause. Pure."""

from __future__ import annotations

import click
import pytest

from cw.breakers import Culprit, Failure, RepositoryHold, Streaks, counts, culprit, why
from cw.cli.views.fleet import status_lines
from cw.operations.assignment.eligibility import Facts, Word, judge
from cw.operations.views.overview import Fleet, overview
from cw.operations.views.queue import queue
from cw.reasons import RULES, Blame, Charge, Reason
from cw.states import Move, OutcomeKind, State
from tests.making import make_outcome
from tests.unit.test_eligibility import issue
from tests.unit.test_overview import NOW, UP, task, worker

MOST = 3
X, Y = "acme/app", "acme/api"


def streak(*pairs: tuple[str, str]) -> tuple[Failure, ...]:
    """Of workers and repositories, oldest first."""
    return tuple(
        Failure(task=str(at), worker=worker, repository=repository, account="team")
        for at, (worker, repository) in enumerate(pairs)
    )


ONE, ON_X = ("01", X), ("02", X)
CASES: dict[str, tuple[Streaks, Culprit | None]] = {
    "too few": (Streaks(repository=streak(ONE, ONE), worker=streak(ONE, ONE)), None),
    "one worker and one repository, never apart": (
        Streaks(repository=streak(ONE, ONE, ONE), worker=streak(ONE, ONE, ONE)),
        Culprit.PAIR,
    ),
    "a worker wherever it works": (
        Streaks(repository=streak(ONE, ONE), worker=streak(("01", Y), ONE, ONE)),
        Culprit.WORKER,
    ),
    "a worker in a repository that is well with others": (
        Streaks(repository=streak(ONE), worker=streak(ONE, ONE, ONE)),
        Culprit.WORKER,
    ),
    "a repository whoever works on it": (
        Streaks(repository=streak(ONE, ONE, ON_X), worker=streak(ON_X)),
        Culprit.REPOSITORY,
    ),
    "a repository of a worker that is well elsewhere": (
        Streaks(repository=streak(ONE, ONE, ONE), worker=streak(ONE)),
        Culprit.REPOSITORY,
    ),
    "a worker elsewhere as well, and others there: the worker first": (
        Streaks(repository=streak(ON_X, ONE, ONE), worker=streak(("01", Y), ONE, ONE)),
        Culprit.WORKER,
    ),
    "all workers of an account, wherever": (
        Streaks(
            repository=streak(ONE),
            worker=streak(ONE),
            account=streak(("02", Y), ("01", Y), ONE),
        ),
        Culprit.ACCOUNT,
    ),
    "all workers of an account in one repository": (
        Streaks(
            repository=streak(ON_X, ONE, ONE), worker=streak(ONE), account=streak(ON_X, ONE, ONE)
        ),
        Culprit.REPOSITORY,
    ),
    "the same, and another account is well there": (
        Streaks(repository=streak(ONE), worker=streak(ONE), account=streak(ON_X, ONE, ONE)),
        Culprit.ACCOUNT,
    ),
    "an account of one worker": (
        Streaks(
            repository=streak(ONE),
            worker=streak(("01", Y), ONE, ONE),
            account=streak(("01", Y), ONE, ONE),
        ),
        Culprit.WORKER,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_explains_the_failures_is_paused(name: str) -> None:
    streaks, found = CASES[name]

    assert culprit(streaks, MOST, Blame.ALL) is found


def test_account_is_not_blamed_for_what_it_cannot_cause() -> None:
    streaks = CASES["all workers of an account, wherever"][0]

    assert culprit(streaks, MOST, Blame.PLACE) is None


@pytest.mark.parametrize(
    ("kind", "reason", "move", "expected"),
    [
        (OutcomeKind.SUCCEEDED, Reason.DONE, Move.FINISH, False),
        (OutcomeKind.FAILED, Reason.NOT_PUSHED, Move.FINISH, True),
        (OutcomeKind.FAILED, "error_during_execution", Move.FINISH, True),
        (OutcomeKind.FAILED, Reason.HOST_KILLED, Move.LOSE, True),
        (OutcomeKind.FAILED, Reason.LOST, Move.EXPIRE, None),  # it goes on
        (OutcomeKind.FAILED, Reason.BLOCKED, Move.FINISH, None),
        (OutcomeKind.FAILED, Reason.BUDGET, Move.FINISH, None),
        (OutcomeKind.FAILED, Reason.ISSUE_CHANGED, Move.FINISH, None),
        (OutcomeKind.DEFERRED, Reason.USAGE_LIMIT, Move.HOLD, None),
        (OutcomeKind.DEFERRED, Reason.REMOTE_UNAVAILABLE, Move.HOLD, None),
        (OutcomeKind.STOPPED, Reason.STOPPED, Move.STOP, None),
        (OutcomeKind.STOPPED, Reason.CANCELLED, Move.CLOSE, None),
    ],
)
def test_failures_that_may_not_be_the_tasks_own_count(
    kind: OutcomeKind, reason: str, move: Move, expected: bool | None
) -> None:
    assert counts(make_outcome(kind, reason=reason), move) is expected


@pytest.mark.parametrize("reason", Reason)
def test_nothing_else_is_blamed_for_what_waits_or_was_wanted(reason: Reason) -> None:
    rule = RULES[reason]

    if rule.kind is not OutcomeKind.FAILED or rule.charge in {Charge.ACCOUNT, Charge.DEFERRAL}:
        assert rule.blame is Blame.TASK


def test_what_is_said_is_one_bounded_line() -> None:
    outcome = make_outcome(OutcomeKind.FAILED, reason="not_pushed", message="no\n" + "x" * 999)

    said = why(outcome, MOST)

    assert said.startswith("its last 3 tasks failed for the same reason (not_pushed): no x")
    assert len(said) < 300
    assert why(outcome, 1).startswith("its last task failed (not_pushed)")


def hold(worker: str = "") -> RepositoryHold:
    name, said = "owner/app", "its last 3 tasks failed for the same reason (not_pushed): refused"
    return RepositoryHold(
        place=name, name=name, worker=worker, reason="not_pushed", why=said, since=NOW
    )


def fleet(held: RepositoryHold, line: str | None = "01") -> Fleet:
    return Fleet(
        hosts=[UP],
        workers=[worker("01"), worker("02")],
        tasks=[task(1, State.QUEUED, line)],
        lines={line: ["T1"]},
        repositories=[held],
    )


@pytest.mark.parametrize("line", ["01", None])
def test_task_of_a_held_repository_says_so_and_what_to_type(line: str | None) -> None:
    seen = overview(fleet(hold(), line), NOW)

    (row,) = queue(seen)

    assert row.reason.startswith("owner/app is held: its last 3 tasks failed")
    assert row.reason.endswith("; cw resume owner/app")
    assert row.next == "cw resume owner/app"


@pytest.mark.parametrize(("line", "waits"), [("01", True), ("02", False), (None, False)])
def test_repository_that_is_held_on_one_worker_is_worked_on_by_others(
    line: str | None, waits: bool
) -> None:
    (row,) = queue(overview(fleet(hold("01"), line), NOW))

    assert ("held on worker 01" in row.reason) is waits
    assert (row.next == "cw resume owner/app") is waits


@pytest.mark.parametrize("width", [None, 80, 40])
def test_status_has_held_repositories_among_what_does_not_move(width: int | None) -> None:
    seen = overview(fleet(hold()), NOW)

    said = "\n".join(map(click.unstyle, status_lines(seen, width)))

    assert "not_pushed" in said.partition("Not moving")[2]
    assert "→ cw resume owner/app" in said.partition("Not moving")[2]


def test_name_that_a_shell_would_split_is_quoted() -> None:
    held = hold().model_copy(update={"name": "/srv/my repo"})

    assert held.next == "cw resume '/srv/my repo'"


def test_issue_of_a_held_repository_is_not_assigned() -> None:
    verdict = judge(issue(), Facts(held=hold().words), "cw:go")

    assert (verdict.word, verdict.reason) == (Word.HELD, hold().words)
