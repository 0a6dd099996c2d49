"""Merged pull requests whose tasks this host's workers had: what is left of them is cleared, once
the worker has nothing to do. The broker's word that one is merged is asked of its forge again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from cw.errors import BrokerUnavailableError, CwError
from cw.forges.watched import PullName
from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.pulls.record import PullRecord
from cw.pulls.states import PullMove, PullState
from workerhost.github.backoff import Backoff
from workerhost.inbox.slots import Slots
from workerhost.loop_thread import Loop
from workerhost.runs.after_merge import clear
from workerhost.runs.run_context import Context
from workerhost.shutdown import HostLeavesError

log = logging.getLogger("workerhost.merges")

_Left = tuple[tuple[str, int], str]  # of which pull request, at which worker


class Merges:
    """`homes`: the host's, as they come and go. `release`: a worker may take work again."""

    def __init__(
        self,
        ctx: Context,
        slots: Slots,
        homes: Mapping[str, Home],
        release: Callable[[str], None],
    ) -> None:
        self._ctx = ctx
        self._slots = slots
        self._homes = homes
        self._release = release
        self._looked_for: frozenset[str] = frozenset()
        self._since: datetime | None = None
        self._left: dict[_Left, None] = {}
        self._backoff = Backoff()

    def start(self) -> None:
        Loop("merges", self._look, self._ctx).start()

    def _look(self) -> None:
        self._find()
        for left in list(self._left):
            if self._ctx.leaving.closing.is_set():
                return
            if not self._backoff.waits(left):
                about = f"{left[0][0]}#{left[0][1]} at {left[1]}"
                self._ctx.troubles.run("merge", partial(self._try, left), about)

    def _try(self, left: _Left) -> None:
        if self._is_done(*left):
            del self._left[left]

    def _find(self) -> None:
        """All when the host begins, or has another worker; then what was merged since."""
        workers = frozenset(self._homes)
        since = self._since if workers == self._looked_for else None
        now = self._ctx.store.tasks.now()
        for record in reversed(self._ctx.store.pulls.ended(since)):
            for worker in _left_at(record) & workers:
                self._left[record.key, worker] = None
        self._since, self._looked_for = now, workers

    def _is_done(self, key: tuple[str, int], worker: str) -> bool:
        """Whether nothing is to be done any more."""
        record, home = self._ctx.store.pulls.get(key), self._homes.get(worker)
        if record is None or home is None or worker not in _left_at(record):
            return True
        if self._is_wanted(record, worker):
            return False
        try:
            return self._cleared(record, home)
        except HostLeavesError:
            return False
        except BrokerUnavailableError:
            raise
        except CwError as error:
            log.warning("merge not cleared pull=%s worker=%s: %s", record.name, worker, error)
            self._backoff.failed((key, worker), error.message)
            return self._backoff.spent((key, worker), odd=False)

    def _is_wanted(self, record: PullRecord, worker: str) -> bool:
        """By a task: one that the worker is kept for, or one that has the issue again."""
        tasks, place = self._ctx.store.tasks, record.key[0]
        known = self._ctx.store.fleet.worker(worker)
        busy = known is None or known.task or worker not in self._slots.idle()
        return bool(busy or (record.issue and tasks.claimed_by(place, record.issue)))

    def _cleared(self, record: PullRecord, home: Home) -> bool:
        head = self._merged_head(record, home.id)
        if not head:
            log.warning("not merged, as its forge says pull=%s", record.name)
            return True
        if not self._slots.reserve(home.id):
            return False
        try:
            if home.journal.exists() or shim_lives(home):
                return False
            stays = clear(self._ctx, home, record, head)
        finally:
            self._release(home.id)
        log.info("merge cleared pull=%s worker=%s stays=%s", record.name, home.id, stays or "-")
        cleared = {**record.cleared, home.id: stays}
        said = record.model_copy(update={"cleared": cleared})
        return self._ctx.store.pulls.move(said, PullMove.CLEAR, None)

    def _merged_head(self, record: PullRecord, worker: str) -> str:
        """Empty: it is not merged, or is another one's. Raises CwError."""
        github = self._ctx.github_for(worker)
        if github is None:
            raise CwError(f"there is no GitHub token to ask with whether {record.name} is merged")
        name = PullName(record.repo, record.number)
        glance = github.watch(self._ctx.store.github).glances([name]).get(name)
        ours = glance and glance.merged and glance.repo_id == record.repo_id
        return glance.head if glance and ours else ""


def _left_at(record: PullRecord) -> frozenset[str]:
    """Workers at which nobody has seen to it."""
    if record.state is not PullState.MERGED:
        return frozenset()
    return frozenset(filter(None, (*record.workers, record.worker))) - record.cleared.keys()
