"""GitHub writes and notices that could not be delivered: what a person makes of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from cw.errors import BadInputError
from cw.operations.control.shared import Control, poke_all
from cw.operations.views.overview import all_aside, undelivered
from cw.operations.views.rows import NOTICE, UndeliveredRow

if TYPE_CHECKING:
    from cw.store.notices import NoticeStore
    from cw.store.outbox import OutboxStore
    from cw.store.store import Store


def set_aside(store: Store) -> list[UndeliveredRow]:
    """Of all hosts, the oldest first."""
    return [undelivered(write) for write in all_aside(store, store.fleet.hosts())]


def retry(control: Control, ids: Collection[str]) -> list[UndeliveredRow]:
    """Put them into their outboxes again, in the order in which they were meant. Empty: all.

    Raises BadInputError for an id that is not there.
    """
    done = _each(control.store, ids, lambda box: box.retry)
    poke_all(control, {row.host for row in done})
    return done


def drop(control: Control, ids: Collection[str]) -> list[UndeliveredRow]:
    """They are never made. Raises BadInputError for an id that is not there."""
    return _each(control.store, ids, lambda box: box.drop)


Do = Callable[[str, str], bool]  # with a host and an id


def _each(
    store: Store, ids: Collection[str], do: Callable[[OutboxStore | NoticeStore], Do]
) -> list[UndeliveredRow]:
    rows = set_aside(store)
    unknown = set(ids) - {row.id for row in rows}
    if unknown:
        raise BadInputError(f"nothing {min(unknown)} was set aside", hint="See: cw outbox")
    chosen = [row for row in rows if not ids or row.id in ids]
    notices, writes = do(store.notices), do(store.outbox)
    return [row for row in chosen if (notices if row.kind == NOTICE else writes)(row.host, row.id)]
