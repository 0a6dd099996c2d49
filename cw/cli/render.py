"""Everything about how things look: tables, colours, durations, money, times.

The only module that knows rich, and it loads it for terminals only.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TextIO

import click

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, clear
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"  # OSC and other strings
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
# What is left of C0 and C1, and the marks that make text read in another order than it is.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

STATE_STYLES = {
    "busy": "green",
    "running": "green",
    "succeeded": "green",
    "ok": "green",
    "idle": "cyan",
    "queued": "cyan",
    "held": "yellow",
    "deferred": "yellow",
    "warn": "yellow",
    "stopped": "yellow",
    "offline": "red",
    "crashed": "red",
    "failed": "red",
    "fail": "red",
}


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    gives: bool = False  # gets shorter where the terminal is narrow
    state: bool = False  # coloured by its word


def escape_control(text: str) -> str:
    """Text of an agent or an issue without anything a terminal would obey. Keeps line breaks."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def one_line(text: str) -> str:
    return " ".join(escape_control(text).split())


def duration(seconds: float | timedelta | None) -> str:
    """`48s`, `5m 12s`, `3h 05m`, `2d 4h`."""
    if seconds is None:
        return ""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    total = max(0, int(seconds))
    days, hours, minutes, rest = (
        total // 86400,
        total // 3600 % 24,
        total // 60 % 60,
        total % 60,
    )
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def money(usd: float | None) -> str:
    if usd is None:
        return ""
    return f"${usd:,.2f}" if usd >= 0.01 or not usd else "<$0.01"


def moment(at: datetime | None, now: datetime) -> str:
    """In local time: `14:05` today, `Mon 14:05` within a week, else the date as well."""
    if at is None:
        return ""
    at, now = at.astimezone(), now.astimezone()
    if at.date() == now.date():
        return f"{at:%H:%M}"
    if abs(at - now) < timedelta(days=6):
        return f"{at:%a %H:%M}"
    return f"{at:%Y-%m-%d %H:%M}"


def say(text: str = "") -> None:
    """One line of plain output."""
    click.echo(one_line(text))


def note(text: str) -> None:
    """One line for a person beside the output proper."""
    click.echo(f"cw: {one_line(text)}", err=True)


def json_out(value: Any) -> None:
    """Indented for a person, one object a line is `json_line`."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def json_line(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))
    sys.stdout.flush()


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Columns that are empty throughout are left out."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    used = [at for at in range(len(columns)) if any(row[at] for row in clean)]
    shown = [columns[at] for at in used]
    cells = [[row[at] for at in used] for row in clean]
    if title:
        click.echo(title)
    if sys.stdout and sys.stdout.isatty():
        rich_table(shown, cells, sys.stdout, width=None)
    else:
        _plain_table(shown, cells)


def _plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Nothing is cut off: whoever reads a pipe has all the room there is."""
    everything = [[one.title for one in columns], *rows]
    widths = [max(len(row[at]) for row in everything) for at in range(len(columns))]
    for row in everything:
        parts = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        click.echo("  ".join(parts).rstrip())


def rich_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], out: TextIO, width: int | None
) -> None:
    """`width` None: the terminal's."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for one in columns:
        made.add_column(one.title, justify="right" if one.right else "left", no_wrap=not one.gives)
    for row in rows:
        made.add_row(
            *(
                Text(
                    cell,
                    style=STATE_STYLES.get(cell, "") if column.state else "",
                    no_wrap=True,
                    overflow="ellipsis",
                )
                for cell, column in zip(row, columns, strict=True)
            )
        )
    Console(file=out, width=width, highlight=False, soft_wrap=False).print(made)
