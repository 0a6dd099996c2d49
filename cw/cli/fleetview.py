"""The fleet as lines: one a worker, then what waits, then what does not move and what to type."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.render import Column, duration, moment, money, one_line, table_lines

if TYPE_CHECKING:
    from cw.operations.overview import (
        HeldRow,
        Overview,
        StuckRow,
        UndeliveredRow,
        WaitingRow,
        WorkerRow,
    )

_WORKERS = [
    Column("worker"),
    Column("state", state=True),
    Column("task"),
    Column("title", gives=True, wide=72),
    Column("model", gives=True, wide=120),
    Column("time", right=True),
    Column("turns", right=True),
    Column("cost", right=True),
    Column("seen", right=True),
    Column("now", gives=True),
]
_WAITING = [
    Column("place", right=True),
    Column("for"),
    Column("task", wide=120),
    Column("issue"),
    Column("since"),
    Column("why", folds=True),
]
_ASIDE = [
    Column("state", state=True),
    Column("worker"),
    Column("issue"),
    Column("until"),
    Column("why", folds=True),
]
UNDELIVERED = [
    Column("id", wide=120),
    Column("since"),
    Column("issue"),
    Column("what"),
    Column("text", gives=True, wide=120),
    Column("why", folds=True),
]
_MOST_UNDELIVERED = 5
_MOST_WAITING = 10  # cw queue shows all
_NARROW = 120  # columns; below, names are shortened
_WORKER_ID = 12
_WORKER_LABEL = 14  # characters of owner/repo#22 there, beside much else
_LABEL = 24


def status_lines(seen: Overview, width: int | None) -> list[str]:
    """`width` None: for a pipe; nothing is cut off."""
    if not seen.workers:
        lines = ["No workers yet. Make one with: cw init 01"]
    else:
        lines = table_lines(_WORKERS, [_worker(one, seen.at, width) for one in seen.workers], width)
    if seen.waiting:
        lines += _waiting_lines(seen.waiting, seen.at, width)
    aside: list[HeldRow | StuckRow] = [*seen.held, *seen.stuck]
    if aside:
        rows = [_aside(one, seen.at, width) for one in aside]
        lines += ["", "Not moving", *table_lines(_ASIDE, rows, width)]
        lines += [_next(one) for one in aside]
    if seen.undelivered:
        lines += _undelivered_lines(seen.undelivered, seen.at, width)
    return lines


def _worker(row: WorkerRow, now: datetime, width: int | None) -> list[str]:
    about = row.about
    return [
        _cut(row.worker, _WORKER_ID) if width and width < _NARROW else row.worker,
        row.state,
        short_label(about.label, width, _WORKER_LABEL) if about else "",
        about.title if about else "",
        about.model if about else "",
        duration(row.elapsed_s),
        "" if row.turns is None else str(row.turns),
        money(row.cost_usd),
        _age(row.last_at, now),
        row.last or row.paused,
    ]


def _age(at: datetime | None, now: datetime) -> str:
    """Its largest unit alone: `12s`, `5m`, `3h`, `2d`."""
    return duration(now - at).split()[0] if at else ""


def _waiting_lines(rows: list[WaitingRow], now: datetime, width: int | None) -> list[str]:
    shown = sorted(rows, key=lambda one: (one.worker or "", one.place))[:_MOST_WAITING]
    lines = ["", f"Waiting ({len(rows)})"]
    lines += table_lines(_WAITING, [_waiting(one, now, width) for one in shown], width)
    if len(rows) > len(shown):
        lines.append(f"and {len(rows) - len(shown)} more: cw queue")
    return lines


def _waiting(row: WaitingRow, now: datetime, width: int | None) -> list[str]:
    return [
        str(row.place or "?"),
        row.worker or "anyone",
        row.about.task,
        short_label(row.about.label, width, _LABEL),
        moment(row.since, now),
        row.reason,
    ]


def _aside(row: HeldRow | StuckRow, now: datetime, width: int | None) -> list[str]:
    state = getattr(row, "state", "held")
    until = moment(getattr(row, "until", None), now)
    label = short_label(row.about.label, width, _LABEL)
    return [state, row.worker or "", label, until, row.reason]


def _undelivered_lines(rows: list[UndeliveredRow], now: datetime, width: int | None) -> list[str]:
    shown = rows[-_MOST_UNDELIVERED:]
    lines = ["", f"Not delivered to GitHub ({len(rows)})"]
    lines += table_lines(UNDELIVERED, [undelivered_cells(one, now, width) for one in shown], width)
    return [*lines, "See, retry or drop them with: cw outbox"]


def undelivered_cells(row: UndeliveredRow, now: datetime, width: int | None) -> list[str]:
    issue = short_label(f"{row.repo}#{row.issue}", width, _LABEL)
    return [row.id, moment(row.at, now), issue, row.kind, row.text, row.reason]


def _next(row: HeldRow | StuckRow) -> str:
    return f"{one_line(row.worker or row.about.label)} {click.style('→', fg='cyan')} {row.next}"


def short_label(label: str, width: int | None, most: int) -> str:
    """`owner/repo#22` for a narrow place: first without the owner, then with a shorter name; the
    number stays.
    """
    if width is None or width >= _NARROW or len(label) <= most:
        return label
    name, hash_, number = label.rpartition("/")[2].rpartition("#")
    rest = f"{hash_}{number}" if hash_ else ""
    name = name if hash_ else number
    room = most - len(rest)
    return _cut(name, room) + rest


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
