"""Keeps Flower's list of tasks as the records are.

Celery's own events tell of messages, and ours are hints: one task has many, some of which end
without effect, and a host that was killed sends none. The records know better, also after Flower
itself was started again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cw.models import Task
from cw.services.flower.rows import row
from cw.states import State
from cw.store.store import Store

SHOWN = 2000  # finished tasks; cw history has all
_WHOLE = timedelta(seconds=60)  # between looks at everything: what vanished is taken off the list
_OVERLAP = timedelta(seconds=5)  # two clocks of one server, and ends in the same millisecond
_COUNTED = {
    "SUCCESS": "task-succeeded",
    "FAILURE": "task-failed",
    "RETRY": "task-retried",
    "STARTED": "task-started",
}


@dataclass(frozen=True, slots=True)
class SeenTasks:
    """What the store said at one moment."""

    at: datetime
    tasks: list[Task]
    whole: bool  # there are no others


@dataclass(slots=True)
class RecordReader:
    """Asks the store; blocks. All that there is now and then, otherwise what may have changed."""

    store: Store
    _whole_at: datetime | None = None
    _last: datetime | None = None

    def read(self) -> SeenTasks:
        """Raises BrokerUnavailableError."""
        now = self.store.tasks.now()
        whole = self._whole_at is None or self._last is None or now - self._whole_at > _WHOLE
        # In this order: what ends between the two looks is seen twice and not never.
        tasks = self.store.tasks.open_tasks()
        if whole or self._last is None:
            tasks += self.store.tasks.done_tasks(SHOWN)
            self._whole_at = now
        else:
            tasks += self.store.tasks.done_since(self._last - _OVERLAP)
        self._last = now
        return SeenTasks(now, tasks, whole)


@dataclass(slots=True)
class Listing:
    """`state`: Flower's, which belongs to the thread of its event loop."""

    state: Any
    _shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    _hosts: dict[str, str | None] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def show(self, seen: SeenTasks) -> None:
        # A task that ended between two looks comes twice; its end counts.
        tasks = {task.spec.id: task for task in seen.tasks}
        known = {*self._shown, *tasks}
        for task_id, task in tasks.items():
            self._show(task_id, task, row(task, seen.at, known))
        before = self._shown if seen.whole else self._open
        self._drop(set(before) - set(tasks))  # forgotten, or a dispatch that was withdrawn
        self._open = {task_id for task_id, task in tasks.items() if task.state is not State.DONE}
        self._count()

    def _show(self, task_id: str, task: Task, fields: dict[str, Any]) -> None:
        if self._shown.get(task_id) == fields and self._hosts[task_id] == task.host:
            return
        self._shown[task_id], self._hosts[task_id] = fields, task.host
        worker = self._worker(task.host) if task.host else None
        made = self.state.Task(task_id, cluster_state=self.state, worker=worker, **fields)
        self.state.tasks[task_id] = made
        self.state.search_engine.upsert(made)

    def _worker(self, host: str) -> Any:
        """The Celery worker of a host; one that this Flower never heard is not listed by it."""
        name = f"cw@{host}"
        return self.state.workers.get(name) or self.state.Worker(name)

    def _drop(self, gone: Iterable[str]) -> None:
        for task_id in gone:
            del self._shown[task_id], self._hosts[task_id]
            self.state.tasks.pop(task_id, None)
            self.state.search_engine.remove(task_id)

    def _count(self) -> None:
        """The numbers beside each Celery worker: of the tasks in the list."""
        found: dict[str, Counter[str]] = {}
        for task_id, fields in self._shown.items():
            name = f"cw@{self._hosts[task_id]}"
            counts = found.setdefault(name, Counter())
            counts["task-received"] += 1
            if fields["state"] in _COUNTED:
                counts[_COUNTED[fields["state"]]] += 1
        for name in self.state.workers:
            counts = found.get(name, Counter())
            for event in ("task-received", *_COUNTED.values()):
                self.state.counter[name][event] = counts[event]
