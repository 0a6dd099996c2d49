"""The fleet as lines: one a worker, then what waits, then what does not move and what to type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

import click

from cw.cli.views.render import Column, duration, moment, money, one_line, table_lines
from cw.cli.views.short_names import SMALL, WORKER_LABEL, label_room, short_label, short_name
from cw.cli.views.spans import spans
from cw.cli.views.undelivered import undelivered_table

if TYPE_CHECKING:
    from cw.operations.views.rows import (
        HeldRow,
        Overview,
        RepositoryRow,
        StuckRow,
        Today,
        UndeliveredRow,
        UnseenRow,
        WaitingRow,
        WorkerRow,
    )

_WORKERS = [
    Column("worker"),
    Column("state", state=True),
    Column("host"),
    Column("task"),
    Column("title", gives=True, wide=72),
    Column("model", gives=True, wide=120),
    Column("time", right=True),
    Column("turns", right=True, wide=66),
    Column("cost", right=True, wide=60),
    Column("seen", right=True, wide=66),
    Column("now", gives=True),
]
_WAITING = [
    Column("place", right=True),
    Column("for"),
    Column("task", wide=120),
    Column("issue"),
    Column("since", wide=60),
    Column("why", folds=True),
]
_ASIDE = [
    Column("state", state=True),
    Column("worker"),
    Column("issue"),
    Column("until", wide=60),
    Column("why", folds=True),
]
_ACCOUNTS = [
    Column("account"),
    Column("state", state=True),
    Column("workers"),
    Column("until", wide=60),
    Column("why", folds=True),
]
_UNSEEN = [
    Column("state", state=True),
    Column("worker"),
    Column("issue"),
    Column("ended", wide=60),
    Column("why", folds=True),
]
_MOST_UNDELIVERED = 5
_MOST_UNSEEN = 5
_MOST_IDLE = 10  # more of them take one line together
_MOST_WAITING = 10  # cw queue shows all
_CENT = 0.01
_MORE_IDLE = " … (all: cw status | cat)"
_ORDER = {"busy": 0, "idle": 2}  # of the workers; the others do not move


def status_lines(seen: Overview, width: int | None) -> list[str]:
    """`width` None: for a pipe; nothing is cut off."""
    lines = _worker_lines(seen, width)
    if seen.waiting:
        lines += _waiting_lines(seen.waiting, seen.at, width)
    lines += _aside_lines(seen, width)
    lines += _account_lines(seen, width)
    if seen.unseen:
        lines += _unseen_lines(seen.unseen, seen.at, width)
    if seen.undelivered:
        lines += _undelivered_lines(seen.undelivered, seen.at, width)
    if seen.pulls:
        lines += ["", _pulls_line(seen.pulls)]
    if seen.today and (seen.today.done or seen.today.failed):
        lines += ["", today_line(seen.today)]
    return lines


def _pulls_line(pulls: Mapping[str, int]) -> str:
    counted = ", ".join(f"{count} {state}" for state, count in sorted(pulls.items()))
    return f"pull requests: {counted} (cw prs)"


def _worker_lines(seen: Overview, width: int | None) -> list[str]:
    """What somebody looks for first: who works, who does not move, who is free."""
    if not seen.workers:
        return ["No workers yet. Make one with: cw init 01"]
    rows = sorted(seen.workers, key=lambda row: _ORDER.get(row.state, 1))
    idle = [row.worker for row in rows if row.state == "idle"]
    folded = width is not None and len(idle) > _MOST_IDLE
    shown = [row for row in rows if row.state != "idle"] if folded else rows
    hosts = len({row.host for row in seen.workers}) > 1
    cells = [_worker(row, seen.at, width, host=hosts) for row in shown]
    lines = table_lines(_WORKERS, cells, width) if cells else []
    return [*lines, _idle_line(idle, width or 0)] if folded else lines


def _idle_line(idle: list[str], width: int) -> str:
    """`37 idle: 03..20 22..40`, as ranges are typed."""
    line, names = f"{len(idle)} idle:", spans(idle)
    for at, name in enumerate(names):
        more = _MORE_IDLE if at < len(names) - 1 else ""
        if len(line) + 1 + len(name) + len(more) > width:
            return line + _MORE_IDLE
        line += f" {name}"
    return line


def _cost(row: WorkerRow) -> str:
    """A first guess of less than a cent takes room, and says nothing."""
    if row.cost_estimated and (row.cost_usd or 0) < _CENT:
        return ""
    return money(row.cost_usd, estimated=row.cost_estimated)


def _worker(row: WorkerRow, now: datetime, width: int | None, *, host: bool) -> list[str]:
    about = row.about
    doing = "" if host and width and width < SMALL else row.last
    return [
        short_name(row.worker, width),
        row.state,
        short_name(row.host, width) if host else "",
        short_label(about.label, width, WORKER_LABEL) if about else "",
        about.title if about else "",
        about.model if about else "",
        duration(row.elapsed_s),
        "" if row.turns is None else str(row.turns),
        _cost(row),
        _age(row.last_at, now),
        doing,
    ]


def _age(at: datetime | None, now: datetime) -> str:
    """Its largest unit alone: `12s`, `5m`, `3h`, `2d`."""
    return duration(now - at).split()[0] if at else ""


def _waiting_lines(rows: list[WaitingRow], now: datetime, width: int | None) -> list[str]:
    shown = sorted(rows, key=lambda row: (row.worker or "", row.place))[:_MOST_WAITING]
    lines = ["", f"Waiting ({len(rows)})"]
    lines += table_lines(_WAITING, [_waiting(row, now, width) for row in shown], width)
    if len(rows) > len(shown):
        lines.append(f"and {len(rows) - len(shown)} more: cw queue")
    return lines


def _waiting(row: WaitingRow, now: datetime, width: int | None) -> list[str]:
    return [
        str(row.place or "?"),
        short_name(row.worker or "anyone", width),
        row.about.task,
        short_label(row.about.label, width, label_room(width)),
        moment(row.since, now),
        row.reason,
    ]


def _aside_lines(seen: Overview, width: int | None) -> list[str]:
    """Tasks, workers and repositories that wait for a time or a person, with what to type."""
    aside: list[HeldRow | StuckRow] = [*seen.held, *seen.stuck]
    paused = [row for row in seen.workers if row.paused]
    if not aside and not paused and not seen.repositories:
        return []
    rows = [_aside(row, seen.at, width) for row in aside]
    rows += [["paused", short_name(row.worker, width), "", "", row.paused] for row in paused]
    rows += [_repository(row, width) for row in seen.repositories]
    then = [(row.worker or row.about.label, row.next, "") for row in aside]
    then += [(row.worker, f"cw resume {row.worker}", row.paused) for row in paused]
    then += [(row.repository, one_line(row.next), "") for row in seen.repositories]
    nexts = [_next(who, what, width) for who, what, said in then if what not in said]
    return ["", "Not moving", *table_lines(_ASIDE, rows, width), *chain.from_iterable(nexts)]


def _aside(row: HeldRow | StuckRow, now: datetime, width: int | None) -> list[str]:
    state = getattr(row, "state", "held")
    until = moment(getattr(row, "until", None), now)
    label = short_label(row.about.label, width, label_room(width))
    return [state, short_name(row.worker or "", width), label, until, row.reason]


def _repository(row: RepositoryRow, width: int | None) -> list[str]:
    """In the place of an issue's label: all of its issues wait."""
    label = short_label(one_line(row.repository), width, label_room(width))
    return ["paused", short_name(row.worker or "", width), label, "", row.reason]


def _account_lines(seen: Overview, width: int | None) -> list[str]:
    """Those that take nothing now, or not all models."""
    rows = [
        [
            one_line(row.name),
            row.state,
            " ".join(spans(row.workers)),
            moment(hold.until, seen.at),
            hold.reason,
        ]
        for row in seen.accounts
        for hold in row.holds
    ]
    if not rows:
        return []
    nexts = [
        _next(row.name, hold.next, width)
        for row in seen.accounts
        for hold in row.holds
        if hold.next
    ]
    return ["", "Accounts", *table_lines(_ACCOUNTS, rows, width), *chain.from_iterable(nexts)]


def _unseen_lines(rows: Sequence[UnseenRow], now: datetime, width: int | None) -> list[str]:
    """Until somebody says that it is known, or a day."""
    shown = rows[:_MOST_UNSEEN]
    cells = [
        [
            row.state,
            short_name(row.worker or "", width),
            short_label(row.about.label, width, label_room(width)),
            moment(row.at, now),
            row.reason,
        ]
        for row in shown
    ]
    lines = ["", f"Failed or asking ({len(rows)})", *table_lines(_UNSEEN, cells, width)]
    for row in shown:
        lines += _next(row.about.label, row.next, width)
    if len(rows) > len(shown):
        lines.append(f"and {len(rows) - len(shown)} more: cw history --outcome failed")
    return [*lines, "Off this list: cw seen --all"]


def today_line(today: Today) -> str:
    more = "" if today.whole else " at least"
    cost = money(today.cost_usd, estimated=today.cost_estimated)
    return f"Today{more}: {today.done} done, {today.failed} failed, {cost}"


def _undelivered_lines(rows: list[UndeliveredRow], now: datetime, width: int | None) -> list[str]:
    shown = rows[-_MOST_UNDELIVERED:]
    lines = ["", f"Not delivered ({len(rows)})", *undelivered_table(shown, now, width)]
    return [*lines, "See, retry or drop them with: cw outbox"]


def _next(who: str, what: str, width: int | None) -> list[str]:
    """In one line, or a line for each command where a terminal would break one in the middle."""
    begin, arrow = one_line(who), click.style("→", fg="cyan")
    parts = [what] if width is None or len(begin) + 3 + len(what) <= width else what.split("; ")
    return [
        f"{begin} {arrow} {parts[0]}",
        *(f"{' ' * len(begin)}   {part}" for part in parts[1:]),
    ]
