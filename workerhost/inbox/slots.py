"""Which identities of this host are idle, and which message has been promised which."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable

_NOTHING = "-"  # no task has this id


class Slots:
    """Thread-safe. A reservation is made when a message arrives, before a thread runs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: dict[str, bool] = {}
        self._kept: dict[str, str] = {}  # worker -> the one task it may take
        self._reserved: dict[str, list[str]] = defaultdict(list)

    def add(self, worker: str) -> bool:
        """True when it was not known."""
        with self._lock:
            if worker in self._busy:
                return False
            self._busy[worker] = False
            return True

    def remove(self, worker: str) -> None:
        with self._lock:
            self._busy.pop(worker, None)
            self._kept.pop(worker, None)

    def known(self) -> list[str]:
        with self._lock:
            return sorted(self._busy)

    def idle(self) -> list[str]:
        with self._lock:
            return sorted(worker for worker, busy in self._busy.items() if not busy)

    def accepting(self) -> list[str]:
        """Idle and not paused; perhaps for one task only."""
        with self._lock:
            found = [worker for worker, busy in self._busy.items() if not busy]
            return sorted(worker for worker in found if self._kept.get(worker) != _NOTHING)

    def available(self) -> list[str]:
        """Idle and kept for nothing: fit for the pool."""
        with self._lock:
            return self._free()

    def pin(self, worker: str, task: str | None, *, paused: bool = False) -> None:
        """An identity whose task waits for its host or a person takes no other one."""
        with self._lock:
            self._kept.pop(worker, None)
            if task or paused:
                self._kept[worker] = _NOTHING if paused else str(task)

    def reserve(self, worker: str) -> bool:
        """For a run that is not started by a message: an adopted one."""
        with self._lock:
            return self._take(worker)

    def reserve_for(self, task_id: str, workers: Iterable[str]) -> str | None:
        """Reserve the first of these that may take it for a message; None when none may."""
        with self._lock:
            for worker in workers:
                if self._kept.get(worker, task_id) == task_id and self._take(worker):
                    self._reserved[task_id].append(worker)
                    return worker
            return None

    def claim(self, task_id: str) -> str | None:
        """The identity promised to this message; it is the caller's to release."""
        with self._lock:
            waiting = self._reserved.get(task_id)
            if not waiting:
                return None
            worker = waiting.pop(0)
            if not waiting:
                del self._reserved[task_id]
            return worker

    def release(self, worker: str) -> None:
        with self._lock:
            if worker in self._busy:
                self._busy[worker] = False

    def _free(self) -> list[str]:
        return sorted(
            worker for worker, busy in self._busy.items() if not busy and worker not in self._kept
        )

    def _take(self, worker: str) -> bool:
        if self._busy.get(worker, True):
            return False
        self._busy[worker] = True
        return True
