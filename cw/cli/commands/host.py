"""`cw host`: a machine that is lost is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.context import Cli, with_cli
from cw.cli.params import json_option
from cw.cli.render import json_out, say

if TYPE_CHECKING:
    from cw.operations.hosts import Forgotten


@click.group()
def command() -> None:
    """Machines that go. cw hosts shows them."""


@command.command("forget")
@click.argument("name", metavar="NAME")
@json_option
@with_cli
def forget(cli: Cli, name: str, as_json: bool) -> None:
    """Remove the record of a machine that does not come back, and those of its workers.

    Refused while it is up, and while work of its workers lies there.
    """
    from cw.operations.hosts import forget_host

    _tell(forget_host(cli.store, name), as_json)


def _tell(done: Forgotten, as_json: bool) -> None:
    if as_json:
        json_out(done.model_dump(mode="json"))
        return
    with_them = f", and with it worker {', '.join(done.workers)}" if done.workers else ""
    say(f"host {done.host} is out of the fleet{with_them}")
