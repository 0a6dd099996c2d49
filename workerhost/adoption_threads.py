"""The threads that see runs through which this host found on its disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from cw.errors import BrokerUnavailableError
from cw.homes.layout import Home
from workerhost.inbox.slots import Slots
from workerhost.runs import adoption, crash_loops, orphaned
from workerhost.runs.crash_loops import Standing
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.adoption_threads")

_AGAIN_SECONDS = 5.0
_TRIES = 5  # of a run that ends in what nobody foresaw
_LOOP = "seeing a run through"
_ALONE_SECONDS = 5.0
_ALL_ALONE_SECONDS = 40.0  # a supervisor waits a minute for a host to begin


class Adopter:
    """`release`: an identity whose journal is dealt with may take work again."""

    def __init__(self, ctx: Context, slots: Slots, release: Callable[[str], None]) -> None:
        self._ctx = ctx
        self._slots = slots
        self._release = release
        self._threads: list[threading.Thread] = []
        self._guilty: set[str] = set()  # workers whose run is not to be taken up again

    def begin(self, found: Mapping[str, Home]) -> None:
        """What lay there when the host began. Runs that hosts died with come first, one at a time,
        while nothing else is done that the host could die of.
        """
        orphaned.write_journals(self._ctx, found)
        standing = {
            home: crash_loops.take(home, self._ctx.settings.max_attempts)
            for home in found.values()
            if home.journal.exists()
        }
        self._guilty = {home.id for home, how in standing.items() if how is Standing.GUILTY}
        suspected = [home for home, how in standing.items() if how is Standing.SUSPECT]
        for home in suspected:
            log.warning("hosts died with this run; taken up alone worker=%s", home.id)
            crash_loops.alone(home)
            thread = self._start(home)
            if thread:
                thread.join(min(_ALONE_SECONDS, _ALL_ALONE_SECONDS / len(suspected)))
            crash_loops.clear(home)
        self.look(found)

    def look(self, found: Mapping[str, Home]) -> None:
        """A thread for each idle identity with a journal."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        for worker in self._slots.idle():
            if found[worker].journal.exists():
                self._start(found[worker])

    def _start(self, home: Home) -> threading.Thread | None:
        if not self._slots.reserve(home.id):
            return None
        thread = threading.Thread(target=self._go_on, args=(home,), name=f"run-{home.id}")
        self._threads.append(thread)
        thread.start()
        return thread

    def wait(self) -> None:
        """Until every run that was adopted is over or left alone."""
        for thread in self._threads:
            thread.join()

    def _go_on(self, home: Home) -> None:
        """The identity stays reserved until its journal is dealt with."""
        detach = self._ctx.leaving.detach
        try:
            while home.journal.exists():
                self._adopt(home)
                if detach.wait(self._pause(home) if home.journal.exists() else 0):
                    return
        finally:
            self._release(home.id)

    def _pause(self, home: Home) -> float:
        """Longer each time, but never for so long that the lease ends meanwhile."""
        tries = max(0, self._ctx.troubles.tries(_LOOP, home.id) - 1)
        return min(_AGAIN_SECONDS * 2.0 ** min(tries, 10), self._ctx.settings.lease_ttl / 3)

    def _adopt(self, home: Home) -> None:
        """What nobody foresaw is tried a few times and then ends the run, for a person to see: its
        worker has others to do.
        """
        tries = self._ctx.troubles.tries(_LOOP, home.id)
        try:
            with self._ctx.troubles.watch(_LOOP, home.id):
                found = adoption.find(self._ctx, home)
                if not found:
                    return
                if home.id in self._guilty:
                    said = adoption.park(self._ctx, found)
                elif tries >= _TRIES:
                    said = adoption.give_up(
                        self._ctx, found, self._ctx.troubles.last(_LOOP, home.id)
                    )
                else:
                    said = adoption.adopt(self._ctx, found)
                log.info("%s", said)
        except BrokerUnavailableError as error:
            log.warning("adoption waits worker=%s: %s", home.id, error)
