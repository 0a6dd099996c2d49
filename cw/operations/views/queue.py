"""What `cw queue` shows: every task that waits, in which line, why, and what to type.

Decided from the overview alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from cw.models import Model
from cw.operations.views.rows import About, HeldRow, Overview, StuckRow, WaitingRow
from cw.operations.views.waiting import what_next


class QueueRow(Model):
    about: About
    worker: str | None  # whose line; None: the pool
    state: str  # queued, held, stopped, crashed
    place: int | None  # in its line; None: it is in none
    since: datetime | None
    until: datetime | None  # of a hold
    reason: str
    next: str  # what to type; empty when it moves by itself


def queue(seen: Overview) -> list[QueueRow]:
    """The pool first, then the workers by id; in each the line in order, then what stands aside."""
    rows = [
        *(_queued(row, seen) for row in seen.waiting),
        *(_held(row) for row in seen.held),
        *(_stuck(row) for row in seen.stuck),
    ]
    return sorted(rows, key=_order)


def lines(rows: Iterable[QueueRow]) -> Iterator[tuple[str | None, list[QueueRow]]]:
    """One for the pool and for each worker, in the order given."""
    by_worker: dict[str | None, list[QueueRow]] = {}
    for row in rows:
        by_worker.setdefault(row.worker, []).append(row)
    yield from by_worker.items()


def _queued(row: WaitingRow, seen: Overview) -> QueueRow:
    return QueueRow(
        about=row.about,
        worker=row.worker,
        state="queued",
        place=row.place or None,
        since=row.since,
        until=None,
        reason=row.reason,
        next=what_next(row, seen),
    )


def _held(row: HeldRow) -> QueueRow:
    return QueueRow(
        about=row.about,
        worker=row.worker,
        state="held",
        place=None,
        since=row.since,
        until=row.until,
        reason=row.reason,
        next=row.next,
    )


def _stuck(row: StuckRow) -> QueueRow:
    return QueueRow(
        about=row.about,
        worker=row.worker,
        state=row.state,
        place=None,
        since=row.since,
        until=None,
        reason=row.reason,
        next=row.next,
    )


def _order(row: QueueRow) -> tuple[bool, str, bool, int, str]:
    return (
        row.worker is not None,
        row.worker or "",
        row.state != "queued",
        row.place or 0,
        row.about.task,
    )
