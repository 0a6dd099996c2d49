"""Notices a consumer that is connected and deaf (messages wait, it takes none) or stands still."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cw import sdnotify

_STILL_SECONDS = 60.0  # Celery waits up to 32 s before it connects again


@dataclass(slots=True)
class Watchdog:
    """`limit`: seconds a message may wait in a queue that should be consumed; 0: no watch."""

    limit: float
    clock: Callable[[], float] = time.monotonic
    _waits: dict[str, float] = field(default_factory=dict)  # queue -> since when
    _turned: float | None = None  # when the event loop last came round, or could not have
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, queue: str) -> None:
        """A message of this queue arrived. From the consumer's thread."""
        with self._lock:
            self._waits.pop(queue, None)

    def turned(self) -> None:
        """The consumer's event loop came round, or has an excuse: no broker, nothing to consume."""
        self._turned = self.clock()

    def stands_still(self) -> bool:
        """Whether the consumer has begun and its event loop has not come round for long."""
        return self._turned is not None and self.clock() - self._turned > _STILL_SECONDS

    def look(self, lengths: Mapping[str, int]) -> str:
        """How long each queue is that should be consumed now. Returns the deaf one, if any."""
        now = self.clock()
        with self._lock:
            self._waits = {
                queue: self._waits.get(queue, now) for queue, length in lengths.items() if length
            }
            late = [queue for queue, since in self._waits.items() if now - since > self.limit]
        return late[0] if late and self.limit else ""


def feed_systemd(environ: Mapping[str, str], watchdog: Watchdog) -> bool:
    """systemd's watchdog lives on ours: it gets nothing while the consumer stands still."""
    return not watchdog.stands_still() and sdnotify.notify(environ, sdnotify.ALIVE)


def end_process(seconds: float) -> None:
    """In good order if the main thread still listens to signals, else at once."""
    timer = threading.Timer(seconds, os._exit, (os.EX_TEMPFAIL,))
    timer.daemon = True
    timer.start()
    os.kill(os.getpid(), signal.SIGTERM)
