"""Finding the task an ID means, and following it through the store."""

from __future__ import annotations

from collections.abc import Iterator

from cw.errors import CwError, UnreadableError
from cw.models import Event, Task
from cw.operations.control import need_task, need_worker
from cw.operations.references import Target, resolve
from cw.states import State
from cw.store.store import Store
from cw.store.unreadable import HOW_TO_MEND

_WAIT_MS = 1000
_LOOK_BACK = 1000  # finished tasks searched for a worker's last one

# Nothing moves in these until a person says so.
FINAL = frozenset({State.DONE, State.STOPPED, State.CRASHED})


def find_task(store: Store, target: Target, *, also_done: bool) -> Task:
    """The task, or the one its worker has or gets next. `also_done`: or had last.

    Raises BadInputError for an unknown id, CwError for a worker without a task or what cannot be
    read.
    """
    target = resolve(store, target)
    if target.task:
        return need_task(store, target.task)
    worker = need_worker(store, target.worker or "")
    if worker.task and (task := store.tasks.get(worker.task)):
        return task
    mine = [one for one in store.tasks.open_tasks() if one.worker == worker.id]
    if also_done:
        mine += [one for one in store.tasks.done_tasks(_LOOK_BACK) if one.worker == worker.id]
    if not mine:
        raise CwError(
            f"worker {worker.id} has no task",
            hint=f"Give it one with: cw dispatch -w {worker.id}; or see: cw history {worker.id}",
        )
    return mine[0]


def follow_task(
    store: Store, task_id: str, *, wait: bool, after: str = "0"
) -> Iterator[Task | Event]:
    """The record whenever its state changes, and the events; its final state comes last.

    Without `wait`, what is there now. `after`: a position in the stream to begin at.
    """
    shown = None
    while True:
        task = store.tasks.get(task_id)  # before the events: the last of them precede the outcome
        if task is None and (why := store.tasks.unreadable(task_id)):
            raise UnreadableError(f"task {task_id} cannot be read: {why}", hint=HOW_TO_MEND)
        if task is None:
            raise CwError(f"task {task_id} is gone", hint="See: cw history")
        final = task.state in FINAL
        key = (task.state, task.attempt, task.reason)
        if not final and key != shown:
            yield task
            shown = key
        events, after = store.events.read(task_id, after, 0 if final or not wait else _WAIT_MS)
        yield from events
        if not events and final:
            yield task
        if not events and (final or not wait):
            return
