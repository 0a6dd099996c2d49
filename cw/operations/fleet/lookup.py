"""Which worker and which task an id means, or one line that says that there is none."""

from __future__ import annotations

from collections.abc import Iterable

from cw.errors import BadInputError, UnreadableError
from cw.fleet_models import Worker
from cw.models import Task
from cw.states import State
from cw.store.store import Store
from cw.store.unreadable import HOW_TO_MEND


def need_worker(store: Store, worker: str) -> Worker:
    """Raises BadInputError, UnreadableError."""
    found = store.fleet.worker(worker)
    if found is None:
        if why := store.fleet.unreadable(worker):
            raise UnreadableError(f"worker {worker} cannot be read: {why}", hint=HOW_TO_MEND)
        raise unknown_worker(worker, (known.id for known in store.fleet.workers()))
    return found


def need_task(store: Store, task: str) -> Task:
    """Raises BadInputError, UnreadableError."""
    found = store.tasks.get(task)
    if found is None:
        if why := store.tasks.unreadable(task):
            raise UnreadableError(f"task {task} cannot be read: {why}", hint=HOW_TO_MEND)
        raise BadInputError(f"there is no task {task}", hint="See: cw status")
    return found


def task_of(store: Store, worker: str) -> Task | None:
    """The task a worker has, or else gets next. Raises BadInputError for an unknown worker."""
    found = need_worker(store, worker)
    if found.task and (task := store.tasks.get(found.task)) and task.state is not State.DONE:
        return task
    return next((task for task in store.tasks.open_tasks() if task.worker == worker), None)


def unknown_worker(worker: str, known: Iterable[str]) -> BadInputError:
    """What is said of an id that nobody has."""
    named = ", ".join(known) or "none"
    hint = f"Known: {named}. Make it with: cw init {worker}"
    return BadInputError(f"there is no worker {worker}", hint=hint)
