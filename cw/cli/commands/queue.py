"""`cw queue`: what waits, where and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import Column, json_out, moment, one_line, say, table

if TYPE_CHECKING:
    from cw.operations.views.queue import QueueRow

_COLUMNS = [
    Column("place", right=True),
    Column("task"),
    Column("issue", gives=True),
    Column("state", state=True),
    Column("since", wide=60),
    Column("until", wide=60),
    Column("title", gives=True, wide=120),
]


@click.command()
@json_option
@with_cli
def command(cli: Cli, as_json: bool) -> None:
    """What waits, in the pool's line and in each worker's, why, and what to type.

    Beside what is queued stands what is held until a time, or stopped or crashed and waiting for a
    person. Take something out with: cw cancel TASK.
    """
    from cw.operations.fleet.references import short_ids
    from cw.operations.views.overview import overview, read_fleet
    from cw.operations.views.queue import lines, queue

    now = cli.store.tasks.now()
    rows = queue(overview(read_fleet(cli.store), now))
    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
        return
    if not rows:
        say("Nothing waits. See: cw status")
    short = short_ids(cli.store, [row.about.task for row in rows])
    for number, (worker, mine) in enumerate(lines(rows)):
        if number:
            say()
        queued = sum(row.state == "queued" for row in mine)
        aside = f", {len(mine) - queued} aside" if len(mine) > queued else ""
        who = f"Worker {worker}" if worker else "Pool"
        table(
            _COLUMNS,
            [_cells(row, now, short) for row in mine],
            title=f"{who}: {queued} queued{aside}",
        )
        _tell_why(cli, mine)


def _cells(row: QueueRow, now: datetime, short: Mapping[str, str]) -> list[str]:
    return [
        "" if row.place is None else str(row.place),
        short[row.about.task],
        row.about.label,
        row.state,
        moment(row.since, now),
        moment(row.until, now),
        row.about.title,
    ]


def _tell_why(cli: Cli, rows: list[QueueRow]) -> None:
    """Each reason once: a long line mostly waits for one thing."""
    for reason, then in dict.fromkeys((row.reason, row.next) for row in rows):
        click.echo(f"  why: {one_line(reason) or 'unknown'}")
        if then and then not in reason:
            click.echo(f"   → {one_line(cli.short(then))}")
