"""Finding the task an ID means, and following it through the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from cw.errors import BadInputError, CwError, UnavailableError, UnreadableError
from cw.models import Event, Task
from cw.operations.fleet.lookup import need_task, need_worker
from cw.operations.fleet.references import Target, resolve
from cw.operations.views.overview import overview, read_fleet
from cw.states import State
from cw.store.store import Store
from cw.store.unreadable import HOW_TO_MEND

_WAIT_MS = 1000
_LOOK_SECONDS = 0.3
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
    mine = [task for task in store.tasks.open_tasks() if task.worker == worker.id]
    if also_done:
        mine += [task for task in store.tasks.done_tasks(_LOOK_BACK) if task.worker == worker.id]
    if not mine:
        raise CwError(
            f"worker {worker.id} has no task",
            hint=f"Give it one with: cw dispatch -w {worker.id}; or see: cw history {worker.id}",
        )
    return mine[0]


def follow_task(
    store: Store,
    task_id: str,
    *,
    wait: bool,
    after: str = "0",
    idle: Callable[[Task], None] = lambda _: None,
) -> Iterator[Task | Event]:
    """The record whenever its state changes, and the events; its final state comes last.

    Without `wait`, what is there now. `after`: a position in the stream to begin at. `idle` is
    called about once a second while nothing new is said.
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
        if not events:
            idle(task)


def await_task(store: Store, target: Target, tell: Callable[[str], None]) -> Task:
    """The same for a worker that is about to get a task out of the pool: it is waited for. `tell`
    is called once, when there is something to wait for. Raises as `find_task` does.
    """
    target = resolve(store, target)
    told = False
    while True:
        try:
            return find_task(store, target, also_done=False)
        except (BadInputError, UnavailableError):
            raise
        except CwError:
            waits = _about_to_get_one(store, target.worker or "")
            if not waits:
                raise
        if not told:
            tell(f"worker {target.worker} has no task yet; it is about to take one of the pool")
            told = True
        time.sleep(_LOOK_SECONDS)


def _about_to_get_one(store: Store, worker: str) -> bool:
    now = store.tasks.now()
    seen = overview(read_fleet(store), now)
    mine = next((row for row in seen.workers if row.worker == worker), None)
    return mine is not None and mine.state == "idle" and any(not row.worker for row in seen.waiting)
