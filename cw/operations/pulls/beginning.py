"""Pull requests that tasks have ended with become records. What was forgotten begins again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cw.pulls.begin import begun, key_of, not_begun
from cw.pulls.recalled import recalled
from cw.pulls.states import move_to

if TYPE_CHECKING:
    from cw.models import Task
    from cw.store.store import Store

_LOOKED = "pulls:begun"  # that all finished tasks were looked through
_EACH = timedelta(days=1)
_BACK = timedelta(days=30)  # of finished tasks


def begin_new(store: Store, now: datetime) -> None:
    """Raises BrokerUnavailableError. Once a day, and when the broker forgot that, also those of
    before: of an older cw, or of a record that is gone.
    """
    new = store.pulls.new()
    if store.github.fact(_LOOKED) is None:
        _begin(store, store.tasks.done_since(now - _BACK))
        store.github.keep_fact(_LOOKED, "yes", _EACH)
    _begin(store, [task for task_id in new if (task := store.tasks.get(task_id))])
    store.pulls.not_new(new)


def _begin(store: Store, tasks: list[Task]) -> None:
    known = store.pulls.known() if tasks else {}
    for task in not_begun(tasks, known):
        key = key_of(task)
        record = begun(task, store.pulls.get(key) if key else None)
        if record:
            store.pulls.begin(record)
    for task in tasks:
        if task.spec.of_pull and key_of(task) in known:
            _recall(store, task)


def _recall(store: Store, task: Task) -> None:
    """A repair or a reading that was told again after its pull request was."""
    key = key_of(task)
    record = store.pulls.get(key) if key else None
    if record is None or not record.open:
        return
    more = recalled(record, task)
    if more != record:
        store.pulls.move(more, move_to(record.state), store.tasks.now())
