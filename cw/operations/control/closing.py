"""Ending a task that does not run, for good: its claim, its label and its worker are given back."""

from __future__ import annotations

from cw.errors import BadInputError
from cw.models import Outcome, Task
from cw.operations.control.shared import Control, poke
from cw.operations.fleet.lookup import need_task
from cw.operations.rest.end import end, outbox_host
from cw.operations.rest.writes import unlabel
from cw.reasons import Label, rule_of
from cw.states import OutcomeKind
from cw.store.store import Store

_LOOK_BACK = 1000  # finished tasks searched for a worker's last one


def close(control: Control, task: Task, reason: str) -> Outcome:
    """`reason`: reset or cancelled. Raises BadInputError when it runs, or has ended meanwhile."""
    outcome = ending(task, reason, control.by)
    host = outbox_host(control.store, task)
    if not end(control.store, task, outcome, host=host):
        now = need_task(control.store, task.spec.id)
        raise BadInputError(f"{task.spec.label} is {now.state.value} now", hint="See: cw status")
    if host:
        poke(control, host)  # so that the label goes and the worker is free at once
    return outcome


def ending(task: Task, reason: str, by: str) -> Outcome:
    """The last run's facts stay; only how it ended is new."""
    said = {
        "kind": OutcomeKind.STOPPED,
        "reason": reason,
        "message": f"{reason} by {by}",
        "retry_at": None,
    }
    if task.outcome:
        return task.outcome.model_copy(update=said)
    return Outcome.model_validate(said)


def last_failed(store: Store, worker: str) -> Task | None:
    """A worker's last task, when it ended without success and its issue still carries the label."""
    newest = (task for task in store.tasks.done_tasks(_LOOK_BACK) if task.worker == worker)
    task = next(newest, None)
    return task if task and _keeps_label(task) else None


def give_back(control: Control, task: Task) -> bool:
    """Take the label of a failed task off its issue, so that it can be dispatched again.

    False: it has none, or another task has the issue by now.
    """
    spec = task.spec
    if not _keeps_label(task) or control.store.tasks.claimed_by(*spec.key):
        return False
    host = outbox_host(control.store, task)
    control.store.outbox.add(host, unlabel(task))
    poke(control, host)
    return True


def _keeps_label(task: Task) -> bool:
    outcome = task.outcome
    if (
        outcome is None
        or outcome.kind is OutcomeKind.SUCCEEDED
        or rule_of(outcome.reason).label is Label.OFF
    ):
        return False
    return bool(unlabel(task))
