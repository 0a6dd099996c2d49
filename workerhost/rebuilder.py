"""Puts back, from the archives on this disk, what a broker does not know any more."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime

from cw.errors import CwError
from cw.operations.reconciliation import rebuilding
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.rebuilder")


class Rebuilder:
    """Beside the ticks: there may be thousands of archives."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._rebuilding = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._rebuild, name="rebuild", daemon=True).start()

    def _rebuild(self) -> None:
        with self._rebuilding:
            try:
                with self._ctx.troubles.watch("rebuild"):
                    rebuilding.tell(rebuilding.rebuild(self._ctx.store, self._ctx.settings))
                    if rebuilding.recount(self._ctx.store, self._ctx.settings, datetime.now(UTC)):
                        log.info("what this host's runs of the month took was counted again")
            except CwError as error:
                log.warning("finished tasks not compared with the archives: %s", error)
