"""What a run tells of its account while it goes on: that it is served, how much is left, that it is
refused. A hold begins with the first refused request, not with the end of its run.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cw.accounts.holds import ALL_MODELS, GROWTH, OF_REASON, HoldKind, Window, reserved
from cw.errors import BrokerUnavailableError
from cw.homes.journal import Journal
from cw.models import Outcome
from cw.store.accounts import Held, Refused
from cw.store.store import Store
from workerhost.programs.progress import Failure, Progress
from workerhost.runs.run_context import Holding
from workerhost.shutdown import HostLeavesError, Leaving

log = logging.getLogger("workerhost.account")

_JITTER = 0.1  # of a pause: hosts that met one outage do not come back in one moment
_PERCENT = 100
_RETRY_SECONDS = 2.0
_LONGEST = timedelta(days=8)  # a week's window; agents can write to the log that this is read from


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """`pause`: seconds that an API which serves nobody is left alone at first; after `give_up`
    seconds of that somebody has to look. `spread`: seconds between two starts after a hold.
    `reserve`: percent of each window that are the person's.
    """

    pause: float
    give_up: float
    spread: float
    reserve: int


@dataclass(slots=True)
class AccountListener:
    """Of one run. `moved`: called when others of the account may go on. `workers`: how many those
    are.
    """

    store: Store
    account: str
    task: str
    model: str
    terms: Terms
    moved: Callable[[], None]
    redact: Callable[[str], str]
    workers: Callable[[str], int]
    progress: Progress = field(default_factory=Progress)
    held: Held | None = None
    _failure: Failure | None = None
    _heard: bool = False
    _windows: tuple[Window, ...] = field(default=())

    def look(self, progress: Progress) -> None:
        """After each piece of the log. Raises BrokerUnavailableError, and is to be asked again."""
        self.progress = progress
        if progress.turns and not self._heard and not progress.failure:
            self._spoke()
        if progress.windows != self._windows:
            self._measure(progress.windows)
        if progress.failure and progress.failure != self._failure:
            self._refused(progress.failure, progress.retry_after)

    def settle(self, progress: Progress, leaving: Leaving) -> None:
        """All of it, once the run is over. Raises HostLeavesError: then the next host says it."""
        while True:
            try:
                self.look(progress)
            except BrokerUnavailableError:
                if leaving.detach.wait(_RETRY_SECONDS):
                    raise HostLeavesError from None
            else:
                return

    @property
    def news(self) -> bool:
        """Whether no other run has said what its account waits for."""
        return self.held is None or self.held.news

    def timed(self, outcome: Outcome) -> Outcome:
        """When its task may go on: with its account."""
        if outcome.reason not in OF_REASON or self.held is None:
            return outcome
        return outcome.model_copy(update={"retry_at": self.held.until or datetime.now(UTC)})

    def _spoke(self) -> None:
        number = self.workers(self.account)
        if self.store.accounts.heard(self.account, self.task, self.terms.spread, number):
            log.info("account goes on account=%s task=%s", self.account, self.task)
            self.moved()
        self._heard = True

    def _measure(self, windows: tuple[Window, ...]) -> None:
        """The rest of a window is the person's: what runs ends in peace, nothing new begins."""
        self.store.accounts.met(self.account, windows)
        full = reserved(windows, self.terms.reserve / _PERCENT, datetime.now(UTC))
        if full:
            said = f"{full.kind} window used to {full.utilization:.0%}, the rest is kept"
            self._hold(
                Refused(
                    HoldKind.RESERVE, self.task, said=said, scope=full.scope, until=full.resets_at
                )
            )
        self._windows = windows

    def _refused(self, failure: Failure, retry_after: timedelta) -> None:
        kind = OF_REASON.get(failure.reason)
        if kind is not None:
            self.held = self._hold(self._met(kind, failure, retry_after))
        self._failure = failure

    def _met(self, kind: HoldKind, failure: Failure, retry_after: timedelta) -> Refused:
        passes = kind is HoldKind.OVERLOAD
        until = failure.until or (datetime.now(UTC) + retry_after if passes else None)
        around = 1 + random.uniform(0, _JITTER)  # noqa: S311
        pauses = [timedelta(seconds=self.terms.pause * times * around) for times in GROWTH]
        return Refused(
            kind,
            self.task,
            said="" if kind is HoldKind.LIMIT else " ".join(self.redact(failure.said).split()),
            scope=self._scope(failure.scope, until),
            until=until,
            pauses=pauses if passes else (),
            give_up=timedelta(seconds=self.terms.give_up),
        )

    def _scope(self, said: str, until: datetime | None) -> str:
        """A task whose model has another name (`best`) than the hold is held by it as well: else it
        would be begun again at once, for ever.
        """
        return said if until or said == ALL_MODELS or said in self.model else self.model

    def _hold(self, met: Refused) -> Held:
        until = min(met.until, datetime.now(UTC) + _LONGEST) if met.until else None
        held = self.store.accounts.hold(self.account, replace(met, until=until))
        if held.news:
            log.warning(
                "account held account=%s kind=%s until=%s", self.account, met.kind, held.until
            )
        return held


def listen(held: Holding, book: Journal) -> AccountListener:
    """Of a run in whose journal a cw of before noted no account: of the one its worker has now."""
    ctx, settings = held.ctx, held.ctx.settings
    return AccountListener(
        store=ctx.store,
        account=book.run.account or ctx.accounts.of(held.home).id,
        task=book.task.id,
        model=book.task.model,
        terms=Terms(
            pause=settings.account_pause,
            give_up=settings.account_give_up,
            spread=settings.account_spread,
            reserve=settings.account_reserve,
        ),
        moved=ctx.settled,
        redact=held.redact,
        workers=ctx.accounts.workers_of,
    )
