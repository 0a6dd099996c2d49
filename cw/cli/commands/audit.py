"""`cw audit`: what was done in somebody's name on this machine."""

from __future__ import annotations

from dataclasses import asdict

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, note, say
from cw.errors import BrokerUnavailableError


@click.command()
@click.argument("action", type=click.Choice(["show", "verify"]), default="show")
@click.option("-n", "--limit", metavar="N", type=click.IntRange(1), default=50, help="The last N.")
@json_option
@click.pass_context
@with_cli
def command(cli: Cli, ctx: click.Context, action: str, limit: int, as_json: bool) -> None:
    """What was done in somebody's name on this machine: commands, dispatches, runs and their ends.

    show: the last lines, in local time; --json has all that a line says. verify: whether every
    line is as it was written, and none was taken out, added or moved; exit status 1 names the first
    that is not. Lines cut off the end are missed while the broker knows the last one; that it knows
    none is a doubt as well (exit status 1).
    """
    if action == "verify":
        ctx.exit(_verify(cli, as_json=as_json))
    _show(cli, limit, as_json=as_json)


def _show(cli: Cli, limit: int, *, as_json: bool) -> None:
    from cw.audit import audit_file, entries
    from cw.cli.views.audit import words

    found = list(entries(audit_file(cli.settings)))[-limit:]
    if as_json:
        json_out([entry.model_dump(mode="json") for entry in found])
        return
    for entry in found:
        say(f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S} {words(entry)}")
    if not found:
        say("nothing yet")


def _verify(cli: Cli, *, as_json: bool) -> int:
    from cw.audit import audit_file, verify

    path = audit_file(cli.settings)
    head, told = None, True
    try:
        head = cli.store.audit.head(cli.settings.host_name)
        told = head is not None
    except BrokerUnavailableError:
        note("warning: the broker is away: lines cut off the end would not be missed")
    done = verify(path, head, told=told)
    if as_json:
        json_out(asdict(done))
    elif done.bad:
        say(f"{path}: line {done.bad}: {done.why}")
    elif done.why:
        say(f"{path}: {done.lines} lines; {done.why}")
    else:
        say(f"{path}: {done.lines} lines, all as they were written")
    return 1 if done.why else 0
