"""`cw inspect`: the recent conversation of one agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import follow_option, id_argument, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_line, note
from cw.cli.views.stream import event_lines, show_event
from cw.operations.fleet.references import Target

if TYPE_CHECKING:
    from cw.models import Event, Task

_DEFAULT_LINES = 40
_MOST_LINES = 2000  # the stream keeps no more events


@click.command()
@id_argument
@click.argument(
    "lines", metavar="[LINES]", type=click.IntRange(1, _MOST_LINES), default=_DEFAULT_LINES
)
@follow_option("the task ends or stops")
@json_option
@with_cli
def command(cli: Cli, target: Target, lines: int, follow: bool, as_json: bool) -> None:
    """The last LINES (40) of what an agent said and did, from any machine.

    ID is a worker, for the task it has or had last, or a task. Tools are shown with their point,
    their answers with the first line; cw logs has all of it. With --json, each line is an event.
    """
    from cw.cli.watching import find_task

    task = find_task(cli.store, target, also_done=True)
    # A tool without an answer is two events and one line.
    found, after = cli.store.events.tail(task.spec.id, lines if as_json else 2 * lines)
    if as_json:
        for event in found:
            json_line(event.model_dump(mode="json"))
    else:
        for line in [line for event in found for line in event_lines(event)][-lines:]:
            click.echo(line)
    if not found:
        _tell_nothing(cli, task)
    if follow:
        _follow(cli, task, after, as_json=as_json)


def _follow(cli: Cli, task: Task, after: str, *, as_json: bool) -> None:
    from cw.cli.watching import follow_task
    from cw.models import Event

    for news in follow_task(cli.store, task.spec.id, wait=True, after=after):
        if isinstance(news, Event):
            _show(news, as_json=as_json)


def _show(event: Event, *, as_json: bool) -> None:
    if as_json:
        json_line(event.model_dump(mode="json"))
    else:
        show_event(event)


def _tell_nothing(cli: Cli, task: Task) -> None:
    """Silence has a reason too."""
    from cw.cli.watching import FINAL

    if task.state in FINAL:
        log = cli.short(f"cw logs {task.spec.id}")
        note(f"the broker keeps no events of {task.spec.label}; its log: {log}")
    elif task.state.value == "running":
        note(f"worker {task.worker} prepares its run; it has said nothing yet")
    else:
        note(f"{task.spec.label} is {task.state.value} and has said nothing; see: cw queue")
