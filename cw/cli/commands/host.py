"""`cw host`: this machine joins a fleet or leaves it; another one is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_hosts
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, note, say

if TYPE_CHECKING:
    from cw.operations.fleet.hosts import Forgotten


@click.group(no_args_is_help=False, subcommand_metavar="join|leave|forget [ARGS]...")
def command() -> None:
    """Machines that come and go: join, leave, forget. cw hosts shows them."""


@command.command("join")
@click.argument("url", metavar="URL")
@click.option("--name", metavar="NAME", help="This machine's name in the fleet.")
@click.option("--tags", metavar="WORDS", help="What it has, for cw dispatch -t: gpu,big")
@click.option("--ca", metavar="FILE", help="Certificates that the broker's must come from.")
@click.option("--key", metavar="FILE", help="The fleet's signing key; - reads it from stdin.")
@json_option
@with_cli
def join(cli: Cli, as_json: bool, url: str, **options: str | None) -> None:
    """Make this machine a host of the fleet at URL: rediss://USER:PASSWORD@HOST:PORT/0.

    The broker is checked, then the settings are written to config.toml (mode 0600). cw init makes
    workers here and cw up -d starts the host. Nothing is written when a check fails. Joining again
    changes only what is given; '' takes a name, tags or certificates out. For URL, - reads it from
    the file or pipe on stdin, so that the password is in no list of processes.
    """
    from cw.cli.arguments.invitation import Invitation
    from cw.cli.joining import join_fleet

    done = join_fleet(cli, Invitation.read(url, **options))
    if as_json:
        json_out(done.model_dump(mode="json"))
        return
    say(f"{done.host} joins the fleet at {done.broker}: {', '.join(done.hosts) or 'no other host'}")
    for text in done.warnings:
        note(f"warning: {text}")
    say(f"Written to {done.config}. Now: cw init 05..08 && cw up -d")


@command.command("leave")
@json_option
@with_cli
def leave(cli: Cli, as_json: bool) -> None:
    """Take this machine out of its fleet, after cw drain --host NAME --wait and cw down.

    Its workers' HOMEs stay on the disk; their ids can be given again elsewhere.
    """
    from cw.cli.joining import leave_fleet

    _tell(leave_fleet(cli), as_json)


@command.command("forget")
@click.argument("name", metavar="NAME", shell_complete=complete_hosts)
@json_option
@with_cli
def forget(cli: Cli, name: str, as_json: bool) -> None:
    """Remove the record of a machine that does not come back, and those of its workers.

    Refused while it is up, and while work of its workers lies there.
    """
    from cw.operations.fleet.hosts import forget_host

    _tell(forget_host(cli.store, name), as_json)


def _tell(done: Forgotten, as_json: bool) -> None:
    if as_json:
        json_out(done.model_dump(mode="json"))
        return
    with_them = f", and with it worker {', '.join(done.workers)}" if done.workers else ""
    say(f"host {done.host} is out of the fleet{with_them}")
