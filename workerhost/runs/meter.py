"""What a run takes while it goes on, held against its task's ceiling and those that it shares: the
host ends it when one is met. An agent program that looks after its own limits is quicker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cw.budgets.ceilings import Amount
from cw.budgets.scopes import Payers, Scope
from cw.errors import CwError
from cw.homes.journal import Cut, Journal
from cw.reasons import Reason
from cw.store.store import Store
from workerhost.programs.progress import Progress
from workerhost.runs import budget
from workerhost.runs.run_context import Holding

_DRAW_SECONDS = 10.0  # between two words about time alone
_AHEAD_SECONDS = 15.0  # that are asked for


@dataclass(slots=True)
class Meter:
    """Of one run. `ceiling`: its task's. `own`: the run's, that its program keeps to. `scopes`: the
    ceilings it shares, at a moment. `lasted`: seconds so far.
    """

    store: Store
    task: str
    payers: Payers
    ceiling: Amount
    own: Amount
    scopes: Callable[[datetime], tuple[Scope, ...]]
    lasted: Callable[[], float]
    _before: Amount | None = None  # what its task's earlier runs took
    _dearest: float = 0.0  # dollars of one turn
    _seen: Amount = field(default_factory=Amount)
    _drawn_at: float = 0.0

    def look(self, progress: Progress) -> Cut | None:
        """Why the run has to end now, if it has. To be asked again and again, at little cost. A
        broker that is away is asked later: the lease bounds how long a run goes on without it.
        """
        if progress.result is not None:
            return None
        took = Amount(progress.spent_usd, progress.turns, self.lasted())
        if took.turns > self._seen.turns:
            self._dearest = max(self._dearest, took.usd - self._seen.usd)
        try:
            said = self._task(took) or self._shared(took)
        except CwError:  # one that is there and cannot be used is mended by the sweep
            return None
        self._seen = took
        return said

    def met(self, progress: Progress) -> Cut | None:
        """What the agent program ended for by itself, if it was its task's ceiling."""
        over = progress.result.over if progress.result else ""
        if not over or self._before is None:
            return None
        took = self._together(Amount(progress.spent_usd, progress.turns, self.lasted()))
        given = {"usd": self.ceiling.usd, "turns": self.ceiling.turns}[over]
        tasks = {"usd": self._before.usd, "turns": self._before.turns}[over]
        runs = {"usd": self.own.usd, "turns": self.own.turns}[over]
        if not given or (runs and runs < given - tasks):
            return None
        return self._over_task(took, over)

    def _task(self, took: Amount) -> Cut | None:
        """A program that keeps to dollars and turns itself has one turn more to say so."""
        if self._before is None:
            known = self.store.tasks.get(self.task)
            self._before = budget.spent(known) if known else Amount()
        all_of_it = self._together(took)
        patient = Amount(all_of_it.usd - self._dearest, all_of_it.turns - 1, all_of_it.s)
        unit = self.ceiling.met_by(patient)
        return self._over_task(all_of_it, unit) if unit else None

    def _over_task(self, took: Amount, unit: str) -> Cut:
        error = budget.used_up(self.ceiling, took, unit, self.task)
        return Cut(reason=Reason.BUDGET, message=error.line())

    def _shared(self, took: Amount) -> Cut | None:
        now = datetime.now(UTC)
        scopes = self.scopes(now)
        news = (took.usd, took.turns) != (self._seen.usd, self._seen.turns)
        timed = any(scope.ceiling.s for scope in scopes)
        due = timed and took.s >= self._drawn_at + _DRAW_SECONDS
        if not scopes or not (news or due):
            return None
        wanted = Amount(took.usd + self._dearest, took.turns + 1, took.s + _AHEAD_SECONDS)
        met = self.store.budgets.draw(self.task, self.payers, scopes, took, wanted, now)
        self._drawn_at = took.s
        if met is None:
            return None
        return Cut(
            reason=Reason.SHARED_BUDGET,
            message=f"{met.used_up}; then it goes on in the same session",
        )

    def _together(self, took: Amount) -> Amount:
        before = self._before or Amount()
        return before.plus(took)


def metered(held: Holding, book: Journal) -> Meter:
    ctx, settings, run = held.ctx, held.ctx.settings, book.run
    payers = ctx.accounts.payers(held.home.id, run.account)
    return Meter(
        store=ctx.store,
        task=book.task.id,
        payers=payers,
        ceiling=budget.ceiling(settings, book.task),
        own=Amount(settings.run_max_usd, settings.run_max_turns),
        scopes=lambda now: ctx.accounts.scopes(payers, now),
        lasted=lambda: run.lasted(datetime.now(UTC)),
    )
