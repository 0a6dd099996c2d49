"""`cw pause`: workers take nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_hosts, complete_workers
from cw.cli.arguments.params import expand_ids, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, say

if TYPE_CHECKING:
    from cw.operations.control.pause import Paused


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, shell_complete=complete_workers)
@click.option("--note", "text", metavar="NOTE", help="Why; cw status shows it.")
@click.option("--all", "everyone", is_flag=True, help="Every worker of the fleet.")
@click.option(
    "--host", metavar="NAME", shell_complete=complete_hosts, help="Every worker of this host."
)
@json_option
@with_cli
def command(
    cli: Cli,
    ids: tuple[str, ...],
    text: str | None,
    everyone: bool,
    host: str | None,
    as_json: bool,
) -> None:
    """Workers finish what they run and take nothing new.

    What is dispatched to them waits until cw resume. With --all or --host, workers that are paused
    already keep their reason.
    """
    from cw.operations.control.pause import chosen, pause

    workers = chosen(cli.store, expand_ids(ids), host, everyone=everyone)
    why = (text or "").strip() or f"paused by {cli.whoami}"
    rows = pause(cli.control, workers, why, keep=not ids)
    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
        return
    for row in rows:
        say(_line(row))


def _line(row: Paused) -> str:
    runs = f"; {row.label} runs on to its end" if row.state == "running" else ""
    return f"worker {row.worker} takes nothing new: {row.paused}{runs}"
