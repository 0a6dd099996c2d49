"""`cw reset`: end a worker's task without success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.completion import complete_ids
from cw.cli.context import Cli, with_cli
from cw.cli.params import checked, json_option
from cw.cli.render import json_out, say
from cw.cli.steering import find, stop_patience
from cw.operations.references import Target, read_target

if TYPE_CHECKING:
    from cw.models import Task
    from cw.operations.reset import Ended


@click.command()
@click.argument(
    "target", metavar="ID|TASK", callback=checked(read_target), shell_complete=complete_ids
)
@click.option("--force", is_flag=True, help="Stop it first if it is running.")
@json_option
@with_cli
def command(cli: Cli, target: Target, force: bool, as_json: bool) -> None:
    """End a worker's task without success; the worker is free again.

    The issue loses its worker label and can be dispatched again. Commits stay in the clone, and
    what was not committed is kept there below refs/cw/wip. After a task that failed, this takes
    off the label it left behind.
    """
    from cw.operations.closing import last_failed
    from cw.operations.reset import end

    task: Task | None = find(cli, target)
    if task is None and target.worker:
        task = last_failed(cli.store, target.worker)
    if task is None:
        if as_json:
            json_out({"worker": target.worker, "state": "idle"})
        else:
            say(f"worker {target.worker} is idle: nothing to reset")
        return
    patience = stop_patience(cli, task.spec.label)
    done = end(cli.control, task, "reset", force=force, patience=patience)
    if as_json:
        json_out(done.model_dump(mode="json"))
    else:
        say(_line(done))


def _line(done: Ended) -> str:
    free = f"; worker {done.worker} is free" if done.worker else ""
    kept = f"; uncommitted work is kept as {done.outcome.wip}" if done.outcome.wip else ""
    commits = f"; {done.outcome.commits} commits stay on {done.outcome.branch}"
    return f"{done.label} was reset{free}{commits if done.outcome.commits else ''}{kept}"
