"""`cw stop`: end runs now; their tasks stay for restart or reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_ids
from cw.cli.arguments.params import json_option, read_targets
from cw.cli.context import Cli, with_cli
from cw.cli.steering import find, need_stopped, stop_patience, stopped_line
from cw.cli.views.render import json_out, say
from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.models import Task
    from cw.operations.control.stop import Stopped


@click.command()
@click.argument("ids", metavar="ID|TASK...", nargs=-1, shell_complete=complete_ids)
@click.option("--all", "everyone", is_flag=True, help="Every run, and pause every worker.")
@json_option
@with_cli
def command(cli: Cli, ids: tuple[str, ...], everyone: bool, as_json: bool) -> None:
    """End runs now; their tasks stay for restart or reset.

    The agent is interrupted, then terminated, then killed, with all it started. What it committed
    stays in its clone, and what it did not is kept there below refs/cw/wip. A task that waits is
    stopped at once; a worker without a task is left alone. With --all nothing new starts either,
    until cw resume --all; cw restart --all lets the stopped tasks go on. Exit status 4 when a host
    is away: it obeys when it is back.
    """
    if everyone == bool(ids):
        raise BadInputError("say what to stop", hint="Give ids of workers or tasks, or --all")
    if everyone:
        _stop_all(cli, as_json=as_json)
    else:
        _stop(cli, ids, as_json=as_json)


def _stop(cli: Cli, ids: tuple[str, ...], *, as_json: bool) -> None:
    from cw.operations.control.stop import stop

    targets = read_targets(ids)
    found = [(target, find(cli, target)) for target in targets]
    tasks: dict[str, Task] = {task.spec.id: task for _, task in found if task}
    idle = [target.worker for target, task in found if task is None and target.worker]
    results = stop(cli.control, list(tasks.values()), stop_patience(cli, _labels(tasks)))
    if as_json:
        json_out([*_rows(results), *({"worker": worker, "state": "idle"} for worker in idle)])
    else:
        _tell(cli, results)
        for worker in idle:
            say(f"worker {worker} is idle: nothing to stop")
    need_stopped(results)


def _stop_all(cli: Cli, *, as_json: bool) -> None:
    from cw.operations.control.stop import stop_all

    paused, results = stop_all(cli.control, stop_patience(cli, "every run"))
    if as_json:
        workers = [row.model_dump(mode="json") for row in paused]
        json_out({"stopped": _rows(results), "paused": workers})
    else:
        _tell(cli, results)
        runs = f"{len(results)} run{'' if len(results) == 1 else 's'}"
        then = "cw resume --all" + (", then: cw restart --all" if results else "")
        say(f"{runs} stopped, {len(paused)} workers paused. Let them go on: {then}")
    need_stopped(results)


def _labels(tasks: dict[str, Task]) -> str:
    return ", ".join(task.spec.label for task in tasks.values())


def _rows(results: list[Stopped]) -> list[dict[str, object]]:
    return [result.model_dump(mode="json") for result in results]


def _tell(cli: Cli, results: list[Stopped]) -> None:
    for result in results:
        say(cli.short(stopped_line(result)))
