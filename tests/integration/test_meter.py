"""What a run takes while it goes on, on a real server: when its host ends it, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from cw.budgets.ceilings import NONE, Amount
from cw.budgets.scopes import Level, Payers, scopes
from cw.homes.journal import Cut
from cw.models import TaskSpec
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant, Holder, Payer, Settlement, Spending
from cw.store.store import Store
from tests.integration.test_store_leases import created
from tests.making import make_outcome
from workerhost.programs.progress import Progress, Result
from workerhost.runs.meter import Meter

PAYERS = Payers("01", "acc")


@dataclass
class Watched:
    """A meter of a running task, with a clock of ours."""

    store: Store
    ceiling: Amount = NONE
    own: Amount = NONE
    shared: dict[Level, Amount] = field(default_factory=dict)
    before: Amount = NONE
    at: float = 0.0
    ended: list[Cut] = field(default_factory=list)
    worker: str = "01"
    spec: TaskSpec = field(init=False)
    meter: Meter = field(init=False)

    def __post_init__(self) -> None:
        self.spec = created(self.store, issue=None)
        if self.before:
            self._earlier_run()
        self._take()
        self.meter = Meter(
            store=self.store,
            task=self.spec.id,
            payers=PAYERS,
            ceiling=self.ceiling,
            own=self.own,
            scopes=lambda now: scopes(self.shared, PAYERS, now),
            lasted=lambda: self.at,
        )

    def _take(self) -> Holder:
        payer = Payer(Spending(PAYERS, datetime.now(UTC)), self.spec.model, 0)
        got = self.store.tasks.acquire(
            self.spec.id, worker=self.worker, host="here", ttl=600, session="s", payer=payer
        )
        assert isinstance(got, Grant)
        return Holder(self.spec.id, self.worker, got.fence)

    def _earlier_run(self) -> None:
        outcome = make_outcome(
            OutcomeKind.DEFERRED,
            cost_usd=self.before.usd,
            turns=self.before.turns,
            duration_s=self.before.s,
        )
        assert self.store.tasks.settle(self._take(), Settlement(Move.INTERRUPT, outcome))

    def over(self, turns: int, usd: float = 0.0, at: float = 0.0, **more: object) -> bool:
        self.at = at
        progress = Progress(turns=turns, unpriced_usd=usd, **more)  # type: ignore[arg-type]
        cut = self.meter.look(progress)
        self.ended += [cut] if cut else []
        return cut is not None


def test_run_without_a_ceiling_is_never_over(store: Store) -> None:
    assert not Watched(store).over(10**6, 1e6, at=1e9)


@pytest.mark.parametrize(
    ("ceiling", "last", "over", "says"),
    [
        (Amount(usd=1.0), (4, 1.0), (5, 1.5), "--max-usd 2"),
        (Amount(turns=3), (3, 0.0), (4, 0.0), "--max-turns 6"),
        (Amount(s=60.0), (1, 0.0, 59.9), (1, 0.0, 60.0), "--max-minutes 2"),
    ],
)
def test_run_is_ended_a_turn_after_its_task_s_ceiling(
    store: Store,
    ceiling: Amount,
    last: tuple[int, float],
    over: tuple[int, float],
    says: str,
) -> None:
    """That turn is for the program, which keeps to dollars and turns itself."""
    run = Watched(store, ceiling=ceiling)

    assert [run.over(1, 0.25), run.over(2, 0.5), run.over(3, 0.75)] == [False] * 3
    assert not run.over(*last)
    assert run.over(*over)
    (cut,) = run.ended
    assert cut.reason == "budget"
    assert f"cw restart {run.spec.id} {says}" in cut.message


def test_earlier_runs_of_the_task_count(store: Store) -> None:
    run = Watched(store, ceiling=Amount(turns=5), before=Amount(0.5, 4, 60.0))

    assert not run.over(1)
    assert run.over(2)


def test_agent_that_has_said_its_last_word_is_not_ended(store: Store) -> None:
    run = Watched(store, ceiling=Amount(turns=1))

    assert not run.over(9, result=Result(report="done"))


def test_run_is_ended_before_a_turn_that_does_not_fit_below_a_shared_ceiling(store: Store) -> None:
    run = Watched(store, shared={Level.FLEET_DAY: Amount(usd=1.0)})

    assert [run.over(turn, 0.3 * turn) for turn in (1, 2)] == [False, False]
    assert run.over(3, 0.9)
    (cut,) = run.ended
    assert cut.reason == "shared_budget"
    assert "the fleet's budget for today (1usd) is used up until" in cut.message


def test_time_alone_meets_a_shared_ceiling(store: Store) -> None:
    run = Watched(store, shared={Level.WORKER_DAY: Amount(s=60.0)})

    assert not run.over(1, at=1.0)
    assert not run.over(1, at=40.0)
    assert run.over(1, at=50.0)  # the next seconds would not fit


def test_program_that_ended_for_its_task_s_ceiling_says_so(store: Store) -> None:
    result = Result(reason="error_max_budget_usd", over="usd")
    ended = Progress(turns=3, cost_usd=1.2, result=result)
    run = Watched(store, ceiling=Amount(usd=1.0))
    run.over(1)

    cut = run.meter.met(ended)

    assert cut
    assert "1.20 dollars, and may take 1" in cut.message
    lower = Watched(store, ceiling=Amount(usd=5.0), own=Amount(usd=1.0), worker="02")
    lower.over(1)
    assert lower.meter.met(ended) is None  # that was the run's own
