"""A thread of a host that does one thing every few seconds, or once it is woken."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from cw.errors import BrokerUnavailableError
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.loop_thread")

_LOOK_SECONDS = 5.0


class Loop:
    """`name`: of its thread, and of what goes wrong there."""

    def __init__(self, name: str, do: Callable[[], None], ctx: Context) -> None:
        self.woken = threading.Event()
        self._name = name
        self._do = do
        self._ctx = ctx

    def start(self) -> None:
        threading.Thread(target=self._forever, name=self._name, daemon=True).start()

    def _forever(self) -> None:
        while not self._ctx.leaving.detach.is_set():
            try:
                self._ctx.troubles.run(self._name, self._do)
            except BrokerUnavailableError as error:
                log.warning("%s", error)
            self.woken.wait(_LOOK_SECONDS)
            self.woken.clear()
