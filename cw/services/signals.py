"""Signals as facts the main loop reads; the handlers do nothing but write them down."""

from __future__ import annotations

import select
import signal
import socket
from types import FrameType
from typing import Self

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """While entered: `stop` after the first SIGTERM, SIGINT or SIGHUP, `hurry` after two Ctrl-C."""

    def __init__(self) -> None:
        self.stop = False
        self._interrupts = 0

    @property
    def hurry(self) -> bool:
        return self._interrupts > 1

    def __enter__(self) -> Self:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        wanted = [  # but what nohup has ignored
            number for number in _STOPPING if signal.getsignal(number) is not signal.SIG_IGN
        ]
        self._old = {
            number: signal.signal(number, self._note) for number in (*wanted, signal.SIGCHLD)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._read.close()
        self._write.close()

    def wait(self, seconds: float) -> None:
        """Until a signal comes, at most that long."""
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            self._read.recv(4096)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOPPING:
            self.stop = True
        if number == signal.SIGINT:
            self._interrupts += 1
