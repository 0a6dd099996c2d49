"""`cw hosts`: the machines of the fleet."""

from __future__ import annotations

import click

from cw.cli.context import Cli, with_cli
from cw.cli.params import json_option
from cw.cli.render import Column, json_out, moment, note, say, table

_COLUMNS = [
    Column("host"),
    Column("state", state=True),
    Column("workers", right=True),
    Column("busy", right=True),
    Column("version"),
    Column("claude", gives=True),
    Column("isolation"),
    Column("tokens", gives=True),
    Column("seen"),
]


@click.command()
@json_option
@with_cli
def command(cli: Cli, as_json: bool) -> None:
    """The machines of the fleet: what runs there and when they were last heard of.

    up: it answers; silent: it has not for a minute; gone: it was stopped on purpose.
    """
    from cw.operations.overview import overview, read_fleet

    now = cli.store.tasks.now()
    hosts = overview(read_fleet(cli.store), now).hosts
    if as_json:
        json_out([one.model_dump(mode="json") for one in hosts])
        return
    if not hosts:
        say("No host yet. Start one with: cw up")
        return
    rows = [
        [
            one.host,
            one.state,
            str(one.workers),
            str(one.busy),
            one.version,
            one.claude,
            one.isolation,
            one.access,
            moment(one.seen_at, now),
        ]
        for one in hosts
    ]
    table(_COLUMNS, rows)
    for one in hosts:
        if one.warning:
            note(f"warning: host {one.host}: {one.warning}")
