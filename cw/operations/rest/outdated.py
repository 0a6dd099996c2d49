"""Labels whose time has passed while they waited in an outbox: GitHub was away, or their host."""

from __future__ import annotations

from cw.models import Task
from cw.names import worker_of_label
from cw.operations.rest.writes import takes_label_off
from cw.states import State
from cw.store.outbox import Effect
from cw.store.store import Store


def outdated(store: Store, effect: Effect) -> bool:
    """Whether this write would say of the issue what is not so any more. Raises
    BrokerUnavailableError.
    """
    worker = worker_of_label(effect.text)
    if not effect.task or not worker:
        return False
    task = store.tasks.get(effect.task)
    if effect.kind == "label":
        return _has_not(task, worker)
    return effect.kind == "unlabel" and _has_again(store, task, worker)


def _has_not(task: Task | None, worker: str) -> bool:
    """Another one has the task now, or its end has taken the label off."""
    if task is None or task.line != worker:
        return True
    ended = task.outcome if task.state is State.DONE else None
    return ended is not None and takes_label_off(ended)


def _has_again(store: Store, task: Task | None, worker: str) -> bool:
    """The issue is the same worker's by a later task."""
    if task is None or task.spec.issue is None:
        return False
    later = store.tasks.claimed_by(*task.spec.key)
    now = store.tasks.get(later) if later and later != task.spec.id else None
    return now is not None and now.line == worker
