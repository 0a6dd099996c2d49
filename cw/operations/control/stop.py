"""`cw stop`: a run is interrupted, then killed, by its host; what waits is stopped at once."""

from __future__ import annotations

from collections.abc import Sequence

from cw.models import Model, Task
from cw.operations.control.pause import Paused, pause
from cw.operations.control.shared import Control, Patience, poke_all, running_on
from cw.operations.fleet.lookup import need_task
from cw.states import State
from cw.store.store import Store

_WAITS = frozenset({State.QUEUED, State.HELD})


class Stopped(Model):
    """What became of one task."""

    task: str
    label: str
    worker: str | None
    state: State  # RUNNING: not stopped yet
    away: bool = False  # its host does not answer; the wish stays in the record
    branch: str = ""
    commits: int = 0
    pushed: bool = False
    wip: str = ""
    clone: str = ""  # where all that lies, on the worker's host


def stop(control: Control, tasks: Sequence[Task], patience: Patience) -> list[Stopped]:
    """Ask for all, then wait for all. A task that has ended already is left as it is."""
    store = control.store
    for task in tasks:
        store.tasks.want_stop(task, control.by)
    now = [need_task(store, task.spec.id) for task in tasks]
    away = poke_all(control, [task.host for task in now if task.state is State.RUNNING])
    waited_for = {task.spec.id for task in now if task.host not in away}

    def all_stopped() -> bool:
        moving = [task_id for task_id in sorted(waited_for) if _still_moves(control, task_id)]
        return not moving

    patience.until(all_stopped)
    return [_described(store, need_task(store, task.spec.id), away) for task in tasks]


def stop_all(control: Control, patience: Patience) -> tuple[list[Paused], list[Stopped]]:
    """Nothing new starts: every worker is paused first. What waits stays in its line."""
    store = control.store
    workers = [worker.id for worker in store.fleet.workers()]
    pause(control, workers, f"cw stop --all by {control.by}", keep=True)
    stopped = stop(control, running_on(store, workers), patience)
    return [_paused(store, worker) for worker in workers], stopped


def _paused(store: Store, worker: str) -> Paused:
    found = store.fleet.worker(worker)
    return Paused(worker=worker, paused=found.paused if found else "")


def _still_moves(control: Control, task_id: str) -> bool:
    """A run that ended by itself may be held or queued now: that is stopped as well."""
    task = need_task(control.store, task_id)
    if task.state in _WAITS:
        task = task.model_copy(
            update={"state": control.store.tasks.want_stop(task, control.by) or task.state}
        )
    return task.state is State.RUNNING


def _described(store: Store, task: Task, away: set[str]) -> Stopped:
    outcome, spec = task.outcome, task.spec
    worker = store.fleet.worker(task.worker) if task.worker else None
    return Stopped(
        task=spec.id,
        label=spec.label,
        worker=task.worker,
        state=task.state,
        away=task.state is State.RUNNING and task.host in away,
        branch=outcome.branch if outcome else "",
        commits=outcome.commits if outcome else 0,
        pushed=bool(outcome and outcome.pushed),
        wip=outcome.wip if outcome else "",
        clone=f"{worker.home}/github/{spec.repo_folder}" if worker and task.attempt else "",
    )
