"""One service as the supervisor holds it: its process, its log, what is known of its life."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cw.services import restart_policy
from cw.services.catalog import Running, Service
from cw.services.files import log_file
from cw.services.processes import mark
from cw.services.record import ServiceRecord

_SAID_BYTES = 1 << 16


@dataclass(slots=True)
class Child:
    service: Service
    log: Path
    watched: restart_policy.Watched = field(default_factory=restart_policy.Watched)
    running: Running | None = None
    ready: bool = False
    was_ready: bool = False  # in any of its lives
    asked: bool = False  # a question is at the prober
    mended: int = 0  # ends whose reason was taken away
    _said_from: int = 0  # bytes of the log that are of earlier lives
    _process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> str:
        """In a session of its own: Ctrl-C on the terminal is the supervisor's to handle. Returns
        what was mended before.

        Raises OSError or CwError when it cannot even be started.
        """
        self._process = None
        mended = self.service.prepare()
        with log_file(self.log) as log:
            self._said_from = os.fstat(log).st_size
            self._process = subprocess.Popen(
                self.service.command,
                env=self.service.environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.ready = self.asked = False
        found = mark(self._process.pid)
        self.running = Running(found, time.time()) if found else None
        return mended

    def said(self) -> str:
        """The end of what its last life wrote."""
        with suppress(OSError), self.log.open("rb") as log:
            log.seek(max(self._said_from, log.seek(0, os.SEEK_END) - _SAID_BYTES))
            return log.read().decode("utf-8", "surrogateescape")
        return ""

    @property
    def exit_code(self) -> int | None:
        """None: it was never started, or runs."""
        return self._process.poll() if self._process else None

    def how_it_ended(self) -> str:
        code = self._process.returncode if self._process else None
        if code is None:
            return "could not be started"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def reap(self) -> None:
        """After it was stopped; one that does not even die is left to the system."""
        if self._process is not None:
            self._process.poll()

    def record(self) -> ServiceRecord:
        return ServiceRecord(
            name=self.service.name,
            process=self.running.process if self.running else None,
            ready=self.ready,
            failures=self.watched.failures,
            grace=self.service.grace,
            last=not self.service.needs_broker,
        )
