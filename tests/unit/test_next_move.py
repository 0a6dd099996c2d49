"""What becomes of a task after a run."""

from __future__ import annotations

import pytest

from cw.accounts.holds import OF_REASON
from cw.models import Outcome
from cw.settings import Settings
from cw.states import Move, OutcomeKind, State
from tests.making import NOW, make_journal, make_outcome, make_task
from workerhost.runs.recording import is_recorded, next_move

SETTINGS = Settings(max_attempts=2, max_deferrals=3)


@pytest.mark.parametrize(
    ("kind", "reason", "move"),
    [
        (OutcomeKind.SUCCEEDED, "done", Move.FINISH),
        (OutcomeKind.FAILED, "no_changes", Move.FINISH),
        (OutcomeKind.STOPPED, "stopped", Move.STOP),
        (OutcomeKind.DEFERRED, "usage_limit", Move.HOLD),
        (OutcomeKind.FAILED, "lost", Move.EXPIRE),
        (OutcomeKind.DEFERRED, "interrupted", Move.INTERRUPT),
    ],
)
def test_outcome_chooses_the_move(kind: OutcomeKind, reason: str, move: Move) -> None:
    outcome = make_outcome(kind, reason=reason)

    assert next_move(make_task(State.RUNNING, attempt=1), outcome, SETTINGS) == (outcome, move)


@pytest.mark.parametrize(("losses", "move"), [(0, Move.EXPIRE), (1, Move.LOSE), (5, Move.LOSE)])
def test_lost_run_is_repeated_until_it_was_lost_too_often(losses: int, move: Move) -> None:
    task = make_task(State.RUNNING, attempt=9, losses=losses)

    assert next_move(task, make_outcome(OutcomeKind.FAILED, reason="lost"), SETTINGS)[1] is move


@pytest.mark.parametrize(
    ("losses", "signalled", "kind", "move"),
    [
        (0, True, OutcomeKind.DEFERRED, Move.EXPIRE),
        (1, True, OutcomeKind.FAILED, Move.FINISH),
        (0, False, OutcomeKind.FAILED, Move.FINISH),
    ],
)
def test_agent_that_a_signal_ended_goes_on_once(
    losses: int, signalled: bool, kind: OutcomeKind, move: Move
) -> None:
    task = make_task(State.RUNNING, losses=losses)
    killed = make_outcome(OutcomeKind.FAILED, reason="killed")

    outcome, moved = next_move(task, killed, SETTINGS, signalled=signalled)

    assert (outcome.kind, moved) == (kind, move)


def test_task_put_off_too_often_fails_and_says_so() -> None:
    held = make_outcome(
        OutcomeKind.DEFERRED, reason="github_unavailable", message="GitHub is away", retry_at=NOW
    )

    outcome, move = next_move(make_task(State.RUNNING, deferrals=3), held, SETTINGS)

    assert (outcome.kind, outcome.reason, move) == (
        OutcomeKind.FAILED,
        "github_unavailable",
        Move.FINISH,
    )
    assert "3 times" in outcome.message
    assert "GitHub is away" in outcome.message
    assert outcome.retry_at is None


@pytest.mark.parametrize("reason", OF_REASON)
def test_task_is_never_failed_by_what_holds_its_account(reason: str) -> None:
    held = make_outcome(OutcomeKind.DEFERRED, reason=reason, retry_at=NOW)

    assert next_move(make_task(State.RUNNING, deferrals=99), held, SETTINGS) == (held, Move.HOLD)


def test_task_may_be_put_off_as_often_as_the_setting_says() -> None:
    held = make_outcome(OutcomeKind.DEFERRED, reason="api_unavailable", retry_at=NOW)

    assert next_move(make_task(State.RUNNING, deferrals=2), held, SETTINGS) == (held, Move.HOLD)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(OutcomeKind.FAILED, "lost"), (OutcomeKind.DEFERRED, "usage_limit")],
)
def test_run_somebody_wanted_stopped_does_not_go_on_by_itself(
    kind: OutcomeKind, reason: str
) -> None:
    task = make_task(State.RUNNING, stop_wanted="ada@here")

    assert next_move(task, make_outcome(kind, reason=reason), SETTINGS)[1] is Move.STOP


def test_run_that_succeeded_before_it_was_stopped_has_succeeded() -> None:
    task = make_task(State.RUNNING, stop_wanted="ada@here")

    assert next_move(task, make_outcome(OutcomeKind.SUCCEEDED), SETTINGS)[1] is Move.FINISH


@pytest.mark.parametrize(
    ("state", "attempt", "outcome", "ours"),
    [
        (State.DONE, 1, make_outcome(), True),
        (State.HELD, 1, make_outcome(), True),
        (State.RUNNING, 1, make_outcome(), False),
        (State.DONE, 2, make_outcome(), False),
        (State.DONE, 1, make_outcome(message="another"), False),
        (State.QUEUED, 1, None, False),
    ],
)
def test_end_that_was_recorded_is_known_again_when_its_answer_was_lost(
    state: State, attempt: int, outcome: Outcome | None, ours: bool
) -> None:
    task = make_task(state, attempt=attempt, outcome=outcome)

    assert is_recorded(task, make_journal(), make_outcome()) is ours
    assert not is_recorded(None, make_journal(), make_outcome())
