"""`cw restart`: a task that waits for a person, or has failed, goes on, in its session and clone or
anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from cw.budgets.ceilings import NONE, OPTIONS, Amount
from cw.errors import BadInputError
from cw.models import Model, Task
from cw.operations.control.shared import Control
from cw.operations.fleet.lookup import need_task
from cw.states import Move, OutcomeKind, State

if TYPE_CHECKING:
    from cw.store.store import Store


class Restarted(Model):
    """What was set going, and what may keep it waiting."""

    task: str
    label: str
    worker: str | None
    fresh: bool
    host_up: bool = True
    paused: str = ""


def at_rest(task: Task) -> bool:
    """Whether it waits for a person, or for a time that a person may bring forward."""
    return task.state in {State.STOPPED, State.CRASHED, State.HELD}


def limited(task: Task, now: datetime) -> bool:
    """Whether it waits with its account: the agent would be refused, and say so once more."""
    return task.limited and task.not_before is not None and task.not_before > now


def need_restartable(
    task: Task, now: datetime, *, early: bool = False, ceiling: Amount = NONE
) -> None:
    """Raises BadInputError when there is nothing to restart, when it has taken as much as this
    `ceiling` already, or, unless `early`, when it goes on by itself with its account.
    """
    _check(task)
    took = Amount(task.spent_usd, task.spent_turns, task.spent_s)
    if unit := ceiling.met_by(took):
        raise BadInputError(
            f"{task.spec.label} has taken {took.text()} already",
            hint=f"Give it more than that with {OPTIONS[unit]}",
        )
    if limited(task, now) and not early and task.not_before:
        until = f"{task.not_before.astimezone():%Y-%m-%d %H:%M}"
        raise BadInputError(
            f"{task.spec.label} goes on by itself at {until}: until then its account takes nothing",
            hint="If that is over before, or its worker has another login now: add --now",
        )


def restart(
    control: Control, task: Task, *, fresh: bool, early: bool = False, ceiling: Amount = NONE
) -> Restarted:
    """`ceiling`: what it may take from now on, where that is another. Raises BadInputError as
    `need_restartable`, ClaimedError when another task has the issue of one that had failed.
    """
    store = control.store
    need_restartable(task, store.tasks.now(), early=early, ceiling=ceiling)
    if ceiling:
        task = _with_more(store, task, ceiling)
    if not _set_going(store, task, fresh=fresh):
        _check(need_task(store, task.spec.id))
        raise BadInputError(f"{task.spec.label} has changed at this moment", hint="See: cw status")
    line = task.line
    control.hint(task.spec, line)
    now = store.tasks.now()
    store.tasks.mark_hinted(task.spec.id, now)
    worker = store.fleet.worker(line) if line else None
    up = {host.name for host in store.fleet.hosts() if host.up(now)}
    return Restarted(
        task=task.spec.id,
        label=task.spec.label,
        worker=line,
        fresh=fresh,
        host_up=worker.host in up if worker else bool(up),
        paused=worker.paused if worker else "",
    )


def _with_more(store: Store, task: Task, ceiling: Amount) -> Task:
    """Before it is set going: until then nothing has begun under it."""
    spec = task.spec.within(ceiling.instead(task.spec.ceiling))
    if not store.tasks.respecify(task, spec):
        raise BadInputError(
            f"{task.spec.label} is not what was dispatched, or has changed", hint="See: cw status"
        )
    return task.model_copy(update={"spec": spec})


def _set_going(store: Store, task: Task, *, fresh: bool) -> bool:
    if task.state is State.DONE:
        return store.tasks.reopen(task, fresh=fresh)
    return store.tasks.requeue(task, Move.RESTART, fresh=fresh)


def _check(task: Task) -> None:
    """Raises BadInputError unless it is stopped, crashed, held or has failed."""
    spec = task.spec
    match task.state:
        case State.STOPPED | State.CRASHED | State.HELD:
            return
        case State.RUNNING:
            who = task.worker or spec.id
            raise BadInputError(f"{spec.label} is running", hint=f"Stop it first: cw stop {who}")
        case State.QUEUED:
            raise BadInputError(f"{spec.label} waits already", hint="cw status says what for")
        case State.DONE if task.outcome and task.outcome.kind is OutcomeKind.FAILED:
            return
        case State.DONE:
            what = f"-r {spec.repo} -i {spec.issue}" if spec.issue else f"-r {spec.repo} -p TEXT"
            raise BadInputError(f"{spec.label} is done", hint=f"Dispatch it: cw dispatch {what}")
        case other:
            assert_never(other)
