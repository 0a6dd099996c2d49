"""`cw drain`: let workers come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_hosts, complete_workers
from cw.cli.arguments.params import expand_ids, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.steering import now_and_then
from cw.cli.views.render import json_out, note, say

if TYPE_CHECKING:
    from cw.models import Task


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, shell_complete=complete_workers)
@click.option(
    "--host", metavar="NAME", shell_complete=complete_hosts, help="Every worker of this host."
)
@click.option("--wait", is_flag=True, help="Return when nothing runs there any more.")
@json_option
@with_cli
def command(cli: Cli, ids: tuple[str, ...], host: str | None, wait: bool, as_json: bool) -> None:
    """Let workers come to rest: they take nothing new, and with --wait their runs are waited for.

    Ctrl-C ends the waiting only. They take work again after cw resume.
    """
    from cw.operations.control.pause import chosen, pause
    from cw.operations.control.shared import running_on

    workers = chosen(cli.store, expand_ids(ids), host, everyone=False)
    rows = pause(cli.control, workers, f"draining since cw drain by {cli.whoami}", keep=not ids)
    if wait:
        _wait(cli, workers, _undo(ids, host))
    left = running_on(cli.store, workers)
    if as_json:
        json_out(
            {
                "workers": [row.worker for row in rows],
                "running": [task.spec.id for task in left],
            }
        )
        return
    names = f"worker{'' if len(workers) == 1 else 's'} {', '.join(workers)}"
    then = f"still running: {_labels(left)}" if left else "nothing runs there"
    say(f"{names}: nothing new is taken, {then}. Let them go on: {_undo(ids, host)}")


def _undo(ids: tuple[str, ...], host: str | None) -> str:
    """As it was typed."""
    return f"cw resume {' '.join(ids)}" if ids else f"cw resume --host {host}"


def _wait(cli: Cli, workers: list[str], undo: str) -> None:
    from cw.operations.control.pause import wait_until_idle

    running: list[Task] = []
    say_now = now_and_then(lambda: _labels(running))

    def tell(runs: list[Task], waited: float) -> None:
        running[:] = runs
        say_now(waited)

    try:
        wait_until_idle(cli.control, workers, tell)
    except KeyboardInterrupt:
        note(f"not waiting any more; {', '.join(workers)} go on draining. Undo it: {undo}")
        raise


def _labels(tasks: list[Task]) -> str:
    return ", ".join(task.spec.label for task in tasks)
