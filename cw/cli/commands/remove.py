"""`cw remove`: take a worker out of the fleet."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_workers
from cw.cli.arguments.params import checked, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.steering import stop_patience
from cw.cli.views.render import json_out, say
from cw.errors import BadInputError
from cw.names import worker_id

if TYPE_CHECKING:
    from cw.fleet_models import Worker
    from cw.operations.control.remove import Removed


@click.command()
@click.argument(
    "worker", metavar="ID", callback=checked(worker_id), shell_complete=complete_workers
)
@click.option("-f", "--force", is_flag=True, help="Stop and reset its tasks first.")
@json_option
@with_cli
def command(cli: Cli, worker: str, force: bool, as_json: bool) -> None:
    """Take a worker out of the fleet. Nothing it did is deleted.

    Its HOME, with clones, settings, tokens and history, is moved to the folder .removed beside the
    other HOMEs of its host. A worker that has a task, or for which one waits, is not removed.
    """
    from cw.operations.control.remove import remove

    patience = stop_patience(cli, f"worker {worker}")
    done = remove(cli.control, worker, partial(_set_aside, cli), force=force, patience=patience)
    if as_json:
        json_out(done.model_dump(mode="json"))
        return
    _tell(done)


def _set_aside(cli: Cli, worker: Worker) -> str:
    """Where its HOME is now; empty when there was none."""
    if worker.host and worker.host != cli.settings.host_name:
        from cw.operations.fleet.ask import ask

        return str(ask(cli.store, cli.control.send, "remove", worker.id).get("kept", ""))
    from cw.homes.layout import Home
    from cw.homes.removing import set_aside

    home = Home(cli.settings.workers_root / worker.id)
    if not home.path.exists() and worker.home and Path(worker.home).exists():
        raise BadInputError(
            f"the HOME of worker {worker.id} is {worker.home}",
            hint="Set CW_WORKERS_ROOT to the folder it lies in",
        )
    return str(set_aside(home) or "")


def _tell(done: Removed) -> None:
    for ended in done.ended:
        say(f"{ended.label} was reset")
    if not done.kept:
        say(f"worker {done.worker} is removed; its HOME was gone already")
        return
    say(f"worker {done.worker} is removed; its HOME is now {done.kept} on {done.host}")
    say(f"Delete it when you need nothing of it: rm -r {done.kept}")
