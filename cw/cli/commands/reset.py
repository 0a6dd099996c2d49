"""`cw reset`: end workers' tasks without success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_ids
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.steering import several, stop_patience
from cw.cli.views.render import json_out, say

if TYPE_CHECKING:
    from cw.operations.control.reset import Ended


@click.command()
@click.argument("ids", metavar="ID|TASK...", nargs=-1, shell_complete=complete_ids)
@click.option("--all", "everyone", is_flag=True, help="All that are stopped, crashed or held.")
@click.option("-f", "--force", is_flag=True, help="Stop those first that are running.")
@json_option
@with_cli
def command(cli: Cli, ids: tuple[str, ...], everyone: bool, force: bool, as_json: bool) -> None:
    """End workers' tasks without success; the workers are free again.

    The issues lose their worker label and can be dispatched again. Commits stay in the clone, and
    what was not committed is kept there below refs/cw/wip. After a task that failed, this takes
    off the label it left behind. With --json, one that was named is an object, several are a list.
    """
    from cw.operations.control.reset import end
    from cw.operations.control.restart import at_rest

    rows = []
    found = several(cli, ids, everyone=everyone, of_all=at_rest, nothing="nothing to reset")
    for task in found:
        patience = stop_patience(cli, task.spec.label)
        done = end(cli.control, task, "reset", force=force, patience=patience)
        rows.append(done.model_dump(mode="json"))
        if not as_json:
            say(_line(done))
    if as_json:
        _json(rows, ids)
    elif everyone and not found:
        say("Nothing is stopped, crashed or held")


def _json(rows: list[dict[str, object]], ids: tuple[str, ...]) -> None:
    if len(ids) != 1:
        json_out(rows)
    else:
        json_out(rows[0] if rows else {"worker": ids[0], "state": "idle"})


def _line(done: Ended) -> str:
    free = f"; worker {done.worker} is free" if done.worker else ""
    kept = f"; uncommitted work is kept as {done.outcome.wip}" if done.outcome.wip else ""
    commits = f"; {done.outcome.commits} commits stay on {done.outcome.branch}"
    return f"{done.label} was reset{free}{commits if done.outcome.commits else ''}{kept}"
