"""The threads that see runs through which this host found on its disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from cw.errors import BrokerUnavailableError
from workerhost import adoption
from workerhost.board import Board
from workerhost.holding import Context
from workerhost.layout import Home

log = logging.getLogger("workerhost.adopting")

_AGAIN_SECONDS = 5.0


class Adopter:
    """`release`: an identity whose journal is dealt with may take work again."""

    def __init__(self, ctx: Context, board: Board, release: Callable[[str], None]) -> None:
        self._ctx = ctx
        self._board = board
        self._release = release
        self._threads: list[threading.Thread] = []

    def look(self, found: Mapping[str, Home]) -> None:
        """A thread for each idle identity with a journal."""
        self._threads = [one for one in self._threads if one.is_alive()]
        for worker in self._board.idle():
            home = found[worker]
            if home.journal.exists() and self._board.reserve(worker):
                thread = threading.Thread(target=self._go_on, args=(home,), name=f"run-{worker}")
                self._threads.append(thread)
                thread.start()

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
                if detach.wait(_AGAIN_SECONDS if home.journal.exists() else 0):
                    return
        finally:
            self._release(home.id)

    def _adopt(self, home: Home) -> None:
        try:
            found = adoption.find(self._ctx, home)
            if found:
                log.info("%s", adoption.adopt(self._ctx, found))
        except BrokerUnavailableError as error:
            log.warning("adoption waits worker=%s: %s", home.id, error)
        except Exception:
            log.exception("adopted run failed worker=%s", home.id)
