"""GitHub writes that could not be delivered: what a person makes of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from cw.errors import BadInputError
from cw.operations.control.shared import Control, poke_all
from cw.operations.views.overview import undelivered
from cw.operations.views.rows import UndeliveredRow

if TYPE_CHECKING:
    from cw.store.store import Store


def set_aside(store: Store) -> list[UndeliveredRow]:
    """Of all hosts, the oldest first."""
    found = [write for host in store.fleet.hosts() for write in store.outbox.aside(host.name)]
    return [undelivered(write) for write in sorted(found, key=lambda write: write.id)]


def retry(control: Control, ids: Collection[str]) -> list[UndeliveredRow]:
    """Put them into their outboxes again, in the order in which they were meant. Empty: all.

    Raises BadInputError for an id that is not there.
    """
    done = _each(control.store, ids, control.store.outbox.retry)
    poke_all(control, {row.host for row in done})
    return done


def drop(control: Control, ids: Collection[str]) -> list[UndeliveredRow]:
    """They are never made. Raises BadInputError for an id that is not there."""
    return _each(control.store, ids, control.store.outbox.drop)


def _each(
    store: Store, ids: Collection[str], do: Callable[[str, str], bool]
) -> list[UndeliveredRow]:
    rows = set_aside(store)
    unknown = set(ids) - {row.id for row in rows}
    if unknown:
        raise BadInputError(f"no write {min(unknown)} was set aside", hint="See: cw outbox")
    chosen = [row for row in rows if not ids or row.id in ids]
    return [row for row in chosen if do(row.host, row.id)]
