"""`cw merge`: several pull requests that are ready, one after the other. Each is looked at again
before its turn; what beat makes of a merge, its next pass does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cw.errors import (
    BrokerUnavailableError,
    CwError,
    GitHubLimitError,
    GitHubUnavailableError,
)
from cw.forges.pulls import MergeMethod
from cw.forges.watched import PullName
from cw.models import Model
from cw.names import repo_key
from cw.operations.pulls.follow import Clock, follow
from cw.pulls.merging import refusal, settling
from cw.pulls.states import PullMove, PullState

if TYPE_CHECKING:
    from cw.forges.client import Merging
    from cw.operations.passes.context import PassContext
    from cw.pulls.record import PullRecord

_EVERY = 3.0  # seconds between two looks, or two tries
_CHECKS_EVERY = 10.0  # they take longer, and each look is a request
_SETTLES = 10  # looks after which GitHub will not say whether it can be merged
_TRIES = 3
_BUSY = 40  # tries while another pass looks
_TOLD = "merged; the next pass records it"


class MergeRow(Model):
    """One that was named. `why`: it is not merged."""

    repo: str
    repo_id: int
    number: int
    url: str
    issue: int | None
    title: str
    head: str  # that was looked at
    method: str  # squash, merge, rebase; empty: not chosen
    shares: tuple[int, ...] = ()  # others of the named ones that change the same files
    result: str  # planned, merged, left
    why: str = ""
    commit: str = ""  # it became; empty: GitHub did not say

    @property
    def key(self) -> tuple[str, int]:
        return repo_key(self.repo, self.repo_id), self.number

    @property
    def name(self) -> str:
        return f"{self.repo}#{self.number}"

    def left(self, why: str) -> MergeRow:
        return self.model_copy(update={"result": "left", "why": why})

    def merged(self, commit: str) -> MergeRow:
        return self.model_copy(update={"result": "merged", "commit": commit})


@dataclass(frozen=True, kw_only=True, slots=True)
class Merger:
    """`wait`: also for checks that run. `tell`: called with what is waited for, and for how many
    seconds. `hand`: in whose name it is merged; None: as the rest is asked.
    """

    ways: PassContext
    hand: Merging | None = None
    wait: bool = False
    tell: Callable[[str, float], None] = field(default=lambda _what, _seconds: None)
    pause: Callable[[float], None] = time.sleep
    clock: Clock | None = None
    told: Callable[[], None] = field(default=lambda: None)  # after each merge

    def look(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], PullRecord | str]:
        """As they are now, or why nobody knows. Raises GitHubUnavailableError."""
        wanted, clock = list(keys), self.clock or self.ways.store.tasks.now
        begin = clock()
        for tries in range(_BUSY):
            done = follow(self.ways, self.clock, wanted)
            if not done.busy:
                break
            self.tell("another pass over pull requests", tries * _EVERY)
            self.pause(_EVERY)
        if done.stopped:
            raise GitHubUnavailableError(done.stopped)
        unsaid = next(iter(done.warnings), "it could not be looked at just now")
        found = {key: self.ways.store.pulls.get(key) for key in wanted}
        return {
            key: record
            if record and (not record.open or (record.looked_at and record.looked_at >= begin))
            else unsaid
            for key, record in found.items()
        }

    def merge(self, rows: Iterable[MergeRow]) -> Iterator[MergeRow]:
        """What became of each that is planned, as it does. Raises BrokerUnavailableError."""
        for row in rows:
            try:
                yield self._one(row)
            except BrokerUnavailableError:
                raise
            except CwError as error:
                yield row.left(error.line())

    def _one(self, row: MergeRow) -> MergeRow:
        record = self._settled(row)
        if isinstance(record, str):
            return row.left(record)
        if why := refusal(record):
            return row.left(why)
        done = self._merge(row)
        if done.result == "merged":
            self._merged(record)
        return done

    def _settled(self, row: MergeRow) -> PullRecord | str:
        """Once it is clear whether it can be merged and, if that is wanted, its checks have
        ended.
        """
        looks, waited = 0, 0.0
        while True:
            record = self.look([row.key])[row.key]
            looks += 1
            if isinstance(record, str) or not self._awaited(record, looks):
                return record
            every = _EVERY if settling(record) else _CHECKS_EVERY
            self.tell(f"{row.name}: {record.waits}", waited)
            self.pause(every)
            waited += every

    def _awaited(self, record: PullRecord, looks: int) -> bool:
        if self.wait:
            return record.state is PullState.CHECKING
        return settling(record) and looks < _SETTLES

    def _merge(self, row: MergeRow) -> MergeRow:
        why = ""
        for _ in range(_TRIES):
            try:
                return row.merged(self._ask(row))
            except GitHubLimitError:
                raise
            except GitHubUnavailableError as error:
                why = error.line()
            if self._is_merged(row):
                return row.merged("")
            self.pause(_EVERY)
        return row.left(why)

    def _ask(self, row: MergeRow) -> str:
        method = MergeMethod(row.method)
        hand = self.hand or self.ways.github
        return hand.merge(row.repo, row.number, head=row.head, method=method)

    def _is_merged(self, row: MergeRow) -> bool:
        """All the same: its answer was lost."""
        name = PullName(row.repo, row.number)
        glance = self.ways.github.watch(self.ways.store.github).glances([name]).get(name)
        return bool(glance and glance.merged and glance.head == row.head)

    def _merged(self, record: PullRecord) -> None:
        """A pass sees it, with all that follows: the record is only made due, and a host told."""
        said = record.model_copy(update={"waits": _TOLD})
        now = self.ways.store.tasks.now()
        if not self.ways.store.pulls.move(said, PullMove.READY, now):
            self.ways.store.pulls.wait({record.key: now})  # a pass looked meanwhile
        self.told()
