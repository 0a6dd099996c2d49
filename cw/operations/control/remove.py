"""`cw remove`: a worker leaves the fleet; its HOME is kept aside, never deleted."""

from __future__ import annotations

from collections.abc import Callable

from cw.errors import BadInputError
from cw.fleet_models import Worker
from cw.models import Model, Task
from cw.operations.control.reset import Ended, end
from cw.operations.control.shared import Control, Patience, poke
from cw.operations.fleet.lookup import need_worker
from cw.store.store import Store

Away = Callable[[Worker], str]  # moves the HOME aside and says where it is now


class Removed(Model):
    worker: str
    host: str
    kept: str  # the HOME's new place on its host; empty: it was gone already
    ended: tuple[Ended, ...] = ()


def remove(
    control: Control, worker_id: str, away: Away, *, force: bool, patience: Patience
) -> Removed:
    """Raises BadInputError while it has or awaits a task, unless `force` ends those first."""
    worker = need_worker(control.store, worker_id)
    # Nothing can be acquired for a paused worker, so what is decided below stays true.
    control.store.fleet.pause(worker_id, f"being removed by {control.by}")
    try:
        tasks = _tasks_of(control.store, worker_id, force=force)
        ended = _end_all(control, tasks, patience)
        kept = away(worker)
    except BaseException:
        control.store.fleet.pause(worker_id, worker.paused, worker.paused_by)
        raise
    control.store.fleet.forget(worker_id)
    poke(control, worker.host)
    return Removed(worker=worker_id, host=worker.host, kept=kept, ended=ended)


def _end_all(control: Control, tasks: list[Task], patience: Patience) -> tuple[Ended, ...]:
    return tuple(end(control, task, "reset", force=True, patience=patience) for task in tasks)


def _tasks_of(store: Store, worker: str, *, force: bool) -> list[Task]:
    """What it has, and what would wait for it in vain. Without `force` there may be none."""
    tasks = [task for task in store.tasks.open_tasks() if task.worker == worker]
    if not tasks or force:
        return tasks
    has = ", ".join(f"{task.spec.label} ({task.state.value})" for task in tasks)
    hint = f"End it with: cw reset {worker}; or give --force"
    raise BadInputError(f"worker {worker} has {has}", hint=hint)
