"""`cw hosts`: the machines of the fleet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import Column, json_out, moment, note, say, table

if TYPE_CHECKING:
    from cw.operations.fleet.hosts import HostRow

_COLUMNS = [
    Column("host"),
    Column("state", state=True),
    Column("workers", right=True),
    Column("busy", right=True),
    Column("load", right=True),
    Column("memory", right=True),
    Column("disk", right=True),
    Column("clock", right=True, wide=90),
    Column("tags", gives=True),
    Column("cw", wide=66),
    Column("claude", gives=True),
    Column("isolation", wide=90),
    Column("tokens", gives=True),
    Column("seen"),
]
_MIB_PER_GIB = 1024


@click.command()
@json_option
@with_cli
def command(cli: Cli, as_json: bool) -> None:
    """The machines of the fleet: what runs there, how they are, when they were last heard of.

    up: it answers; silent: it has not for 45 seconds; gone: it was stopped on purpose. load: mean
    of a minute, of so many cores; memory and disk: what is free; clock: ahead of the broker's.
    """
    from cw.operations.fleet.hosts import host_warnings
    from cw.operations.views.overview import overview, read_fleet

    now, fleet = cli.store.tasks.now(), read_fleet(cli.store)
    hosts = overview(fleet, now).hosts
    if as_json:
        json_out([row.model_dump(mode="json") for row in hosts])
        return
    if not hosts:
        say("No host yet. Start one with: cw up")
        return
    table(_COLUMNS, [_row(row, now) for row in hosts])
    for text in host_warnings(fleet.hosts, now):
        note(f"warning: {text}")


def _row(row: HostRow, now: datetime) -> list[str]:
    up = row.state == "up"
    return [
        row.host,
        row.state,
        str(row.workers),
        str(row.busy),
        f"{row.load:.1f}/{row.cores}" if up else "",
        _gib(row.memory_mb) if up else "",
        _gib(row.disk_mb) if up else "",
        f"{row.clock_ms / 1000:+.1f}s" if up else "",
        " ".join(row.tags),
        row.version,
        row.claude,
        row.isolation,
        row.access,
        moment(row.seen_at, now),
    ]


def _gib(mb: int) -> str:
    return f"{mb / _MIB_PER_GIB:.1f}G"
