"""`cw cancel`: take tasks back that need nobody any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_tasks
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.steering import find, stop_patience
from cw.cli.views.render import json_out, say
from cw.errors import BadInputError
from cw.operations.fleet.references import read_target

if TYPE_CHECKING:
    from cw.models import Task


@click.command()
@click.argument("tasks", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_tasks)
@click.option("-f", "--force", is_flag=True, help="Stop those that are running first.")
@json_option
@with_cli
def command(cli: Cli, tasks: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Take back tasks that wait, are held, stopped or crashed.

    Their issues lose the worker label and can be dispatched again.
    """
    from cw.operations.control.reset import end

    found = {task.spec.id: task for text in tasks if (task := _task(cli, text))}
    rows = []
    for task in found.values():
        patience = stop_patience(cli, task.spec.label)
        done = end(cli.control, task, "cancelled", force=force, patience=patience)
        rows.append(done.model_dump(mode="json"))
        if not as_json:
            say(cli.short(f"{done.label} was cancelled (task {done.task})"))
    if as_json:
        json_out(rows)


def _task(cli: Cli, text: str) -> Task:
    """A worker is not taken back, its task may be. Raises BadInputError."""
    task = find(cli, read_target(text))
    if task is None:
        raise BadInputError(f"worker {text} has no task to cancel", hint="See: cw status")
    return task
