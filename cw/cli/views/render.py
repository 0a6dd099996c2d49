"""Everything about how things look: tables, colours, durations, money, times.

The only module that knows rich, and it loads it for terminals only.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from cw.escapes import CONTROLS, escape_control

if TYPE_CHECKING:
    from rich.text import Text

_LINKS = ("http://", "https://")

STATE_STYLES = {
    "busy": "green",
    "running": "green",
    "succeeded": "green",
    "ok": "green",
    "next": "cyan",
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
    "question": "yellow",
    "checking": "cyan",
    "needs you": "yellow",
    "hands off": "yellow",
    "ready": "green",
    "merged": "green",
    "paused": "yellow",
}


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    gives: bool = False  # gets shorter where the terminal is narrow
    folds: bool = False  # takes more lines there, and loses nothing
    state: bool = False  # coloured by its word
    wide: int = 0  # shown on terminals of at least so many columns


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


def diff_line(line: str) -> str:
    """One line of a diff in git's colours. The line is clean already."""
    if line.startswith(("diff ", "index ", "--- ", "+++ ", "new file", "deleted file", "rename ")):
        return click.style(line, bold=True)
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return click.style(line, fg=colour) if colour else line


def diff_lines(diff: str) -> list[str]:
    """Without what a terminal would obey, in git's colours."""
    clean = escape_control(diff).removesuffix("\n")
    return [diff_line(line) for line in clean.split("\n")] if clean else []


def money(usd: float | None, *, estimated: bool = False) -> str:
    """`estimated`: a part of it, which is no more than about right."""
    if usd is None:
        return ""
    exact = f"${usd:,.2f}" if usd >= 0.01 or not usd else "<$0.01"
    return f"~{exact}" if estimated else exact


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
    click.echo(_json(value, indent=2))


def json_line(value: Any) -> None:
    click.echo(_json(value))
    sys.stdout.flush()


def _json(value: Any, indent: int | None = None) -> str:
    """What a terminal would obey is written as JSON's own escapes; the value stays the same."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def terminal_width() -> int | None:
    """None: the output is no terminal."""
    if not sys.stdout or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def redraw(lines: Sequence[str]) -> None:
    """These lines in place of what the terminal shows; those it has no room for are counted."""
    width, height = shutil.get_terminal_size()
    tall = [1 + max(0, len(click.unstyle(line)) - 1) // width for line in lines]
    shown = list(lines)
    if sum(tall) >= height:
        fits = sum(total < height - 1 for total in accumulate(tall))
        shown = [*shown[:fits], f"… {len(shown) - fits} more lines"]
    if os.environ.get("NO_COLOR"):
        shown = [click.unstyle(line) for line in shown]
    body = "".join(f"{line}\x1b[K\n" for line in shown)
    click.echo(f"\x1b[H{body}\x1b[J", nl=False, color=True)  # movements are no colours
    sys.stdout.flush()


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Columns that are empty throughout are left out."""
    if title:
        click.echo(title)
    for line in table_lines(columns, rows, terminal_width()):
        click.echo(line)


def table_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> list[str]:
    """`width` None: for a pipe, whose reader has all the room there is: nothing is cut off."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    used = [
        at
        for at, column in enumerate(columns)
        if any(row[at] for row in clean) and (width is None or width >= column.wide)
    ]
    shown = [columns[at] for at in used]
    cells = [[row[at] for at in used] for row in clean]
    if width is None:
        return _plain_table(shown, cells)
    out = io.StringIO()
    rich_table(shown, cells, out, width=width, colour=True)
    return out.getvalue().splitlines()


def _plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    everything = [[column.title for column in columns], *rows]
    widths = [max(len(row[at]) for row in everything) for at in range(len(columns))]
    return [
        "  ".join(
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in everything
    ]


def rich_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    out: TextIO,
    width: int | None,
    *,
    colour: bool | None = None,
) -> None:
    """`width` None: the terminal's. `colour` None: if `out` is one."""
    from rich.console import Console
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        side: Literal["left", "right"] = "right" if column.right else "left"
        made.add_column(column.title, justify=side, no_wrap=not (column.gives or column.folds))
    for row in rows:
        cells = zip(row, columns, strict=True)
        made.add_row(*(_rich_cell(cell, column) for cell, column in cells))
    # Without a height, rich takes no width either on a terminal it calls dumb.
    page = Console(
        file=out, width=width, height=25, highlight=False, soft_wrap=False, force_terminal=colour
    )
    page.print(made)


def _rich_cell(cell: str, column: Column) -> Text:
    """Half a link leads nowhere: it takes more lines, and each of them leads there (OSC 8, which
    terminals that do not know it show nothing of).
    """
    from rich.text import Text

    link = cell if cell.startswith(_LINKS) and " " not in cell else ""
    folds = column.folds or bool(link)
    return Text(
        cell,
        style=f"link {link}" if link else STATE_STYLES.get(cell, "") if column.state else "",
        no_wrap=not folds,
        overflow="fold" if folds else "ellipsis",
    )
