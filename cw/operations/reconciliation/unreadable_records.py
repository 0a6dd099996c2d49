"""Records that cannot be read: all of them found, and put out of the way when a person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.operations.views.overview import read_fleet
from cw.store.mending import mend, set_aside_unreadable
from cw.store.unreadable import Unreadable

if TYPE_CHECKING:
    from cw.store.store import Store

_PAGE = 500


def look_at_all(store: Store) -> list[Unreadable]:
    """Whatever commands and hosts read. Raises BrokerUnavailableError."""
    fleet = read_fleet(store)
    for task in fleet.tasks:
        store.tasks.prompt(task.spec.id)
        if task.spec.issue is not None:
            store.tasks.claimed_by(task.spec.repo, task.spec.issue)
    for host in fleet.hosts:
        store.outbox.length(host.name)
        store.audit.head(host.name)
    for skip in range(0, store.tasks.done_count(), _PAGE):
        store.tasks.done_tasks(_PAGE, skip)
    store.pulls.new()
    store.pulls.ended()
    store.counts.read(store.tasks.now())
    store.github.budgets()
    return store.connection.unreadable.all()


def set_aside(store: Store) -> tuple[str, ...]:
    """Returns what it was. Raises BrokerUnavailableError."""
    look_at_all(store)
    return (*set_aside_unreadable(store), *mend(store))
