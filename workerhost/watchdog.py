"""Notices a consumer that is connected and deaf: messages wait for it, and it takes none."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Watchdog:
    """`limit`: seconds a message may wait in a queue that should be consumed; 0: no watch."""

    limit: float
    clock: Callable[[], float] = time.monotonic
    _waits: dict[str, float] = field(default_factory=dict)  # queue -> since when
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, queue: str) -> None:
        """A message of this queue arrived. From the consumer's thread."""
        with self._lock:
            self._waits.pop(queue, None)

    def look(self, lengths: Mapping[str, int]) -> str:
        """How long each queue is that should be consumed now. Returns the deaf one, if any."""
        now = self.clock()
        with self._lock:
            self._waits = {
                queue: self._waits.get(queue, now) for queue, length in lengths.items() if length
            }
            late = [one for one, since in self._waits.items() if now - since > self.limit]
        return late[0] if late and self.limit else ""


def end_process(seconds: float) -> None:
    """In good order if the main thread still listens to signals, else at once."""
    timer = threading.Timer(seconds, os._exit, (os.EX_TEMPFAIL,))
    timer.daemon = True
    timer.start()
    os.kill(os.getpid(), signal.SIGTERM)
