"""`cw resume`: paused workers take work again, and so do repositories that were held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_hosts, complete_resumable
from cw.cli.arguments.params import expand_ids, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, one_line, say

if TYPE_CHECKING:
    from cw.operations.control.pause import Paused


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, shell_complete=complete_resumable)
@click.option("--all", "everyone", is_flag=True, help="Every worker of the fleet.")
@click.option(
    "--host", metavar="NAME", shell_complete=complete_hosts, help="Every worker of this host."
)
@json_option
@with_cli
def command(
    cli: Cli, ids: tuple[str, ...], everyone: bool, host: str | None, as_json: bool
) -> None:
    """Paused workers take work again; so does a repository (owner/repo) whose tasks failed alike.

    A task that was stopped stays stopped: cw restart lets it go on. Where the account of a named
    worker waits for its credential, it is tried again: cw accounts. With --all or --host, workers
    that their host paused, for what a person has to mend there, stay paused: name those that are
    mended.
    """
    from cw.operations.control import repositories
    from cw.operations.control.pause import chosen, resume

    names = [text for text in ids if "/" in text]  # no worker's id has one
    rest = tuple(text for text in ids if text not in names)
    held = repositories.held(cli.store, names)
    only = names and not (rest or host or everyone)
    workers = [] if only else chosen(cli.store, expand_ids(rest), host, everyone=everyone)
    mended = repositories.resume(cli.control, held)
    rows = resume(cli.control, workers, by_name=bool(ids))
    if as_json:
        json_out([row.model_dump(mode="json") for row in (*mended, *rows)])
        return
    for one in mended:
        say(f"{one_line(one.repository)} is worked on again")
    for row in rows:
        say(_line(row))


def _line(row: Paused) -> str:
    if row.paused:
        return f"worker {row.worker} stays paused: {row.paused}"
    if row.state in {"stopped", "crashed"}:
        then = f"go on with cw restart {row.worker}, or end it with cw reset {row.worker}"
        return f"worker {row.worker} is kept for {row.label}, which is {row.state}: {then}"
    return f"worker {row.worker} takes work"
