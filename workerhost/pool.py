"""Celery's threads pool, with a terminate that does not end in an error: the run is stopped by us
(Celery sends `task_revoked`), never its thread.
"""

from __future__ import annotations

from typing import Any

from celery.concurrency.thread import TaskPool


class StoppablePool(TaskPool):  # type: ignore[misc]
    def terminate_job(self, pid: int, signal: Any = None) -> None:
        """Nothing: see the module."""
