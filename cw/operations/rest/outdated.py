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
    if not effect.task or effect.kind not in {"label", "unlabel"}:
        return False
    task, worker = store.tasks.get(effect.task), worker_of_label(effect.text)
    later = _later(store, task) if task else None
    if effect.kind == "label":
        return later is not None or bool(worker and _has_not(task, worker))
    return later is not None and later.line == worker


def _has_not(task: Task | None, worker: str) -> bool:
    """Another one has the task now, or its end has taken the label off."""
    if task is None or task.line != worker:
        return True
    ended = task.outcome if task.state is State.DONE else None
    return ended is not None and takes_label_off(task.spec, ended)


def _later(store: Store, task: Task) -> Task | None:
    """Another task that has the issue now."""
    holder = store.tasks.claimed_by(*task.spec.key) if task.spec.issue is not None else None
    return store.tasks.get(holder) if holder and holder != task.spec.id else None
