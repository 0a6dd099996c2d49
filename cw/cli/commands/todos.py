"""`cw todos`: what agents plan to do, and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option, maybe_id_argument
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_out, note, one_line, say
from cw.errors import CwError
from cw.operations.fleet.references import Target

if TYPE_CHECKING:
    from cw.models import Task
    from cw.transcript.todos import Todo, TodoList

_BOXES = {"completed": "[x]", "in_progress": "[~]", "pending": "[ ]"}
_COLOURS = {"completed": "bright_black", "in_progress": "yellow", "pending": None}


@click.command()
@maybe_id_argument
@json_option
@with_cli
def command(cli: Cli, target: Target | None, as_json: bool) -> None:
    """The to-do lists of agents: [x] done, [~] in work, [ ] to do.

    ID is a worker, for the task it has or had last, or a task. Without an ID, of every worker that
    is busy.
    """
    found = [_list(cli, task) for task in _tasks(cli, target)]
    if as_json:
        json_out([todo_list.model_dump(mode="json") for todo_list in found])
        return
    if not found:
        say("No worker is busy. See: cw status")
    for number, todo_list in enumerate(found):
        if number:
            say()
        _tell(todo_list)


def _tasks(cli: Cli, target: Target | None) -> list[Task]:
    from cw.cli.watching import find_task
    from cw.states import State

    if target:
        return [find_task(cli.store, target, also_done=True)]
    running = [task for task in cli.store.tasks.open_tasks() if task.state is State.RUNNING]
    return sorted(running, key=lambda task: task.worker or "")


def _list(cli: Cli, task: Task) -> TodoList:
    from cw.transcript.todos import KINDS, TodoList, complete, todos

    found = todos(cli.store.events.every(task.spec.id, KINDS))
    if not complete(found):  # the stream is capped; the log is not
        found = _whole(cli, task) or found
    return TodoList(
        task=task.spec.id,
        label=task.spec.label,
        title=task.spec.headline,
        worker=task.worker or "",
        state=task.state.value,
        todos=tuple(found),
    )


def _whole(cli: Cli, task: Task) -> list[Todo]:
    from cw.cli.disk import disk_of

    try:
        return disk_of(cli, task.worker).todo_list(task.spec.id)
    except CwError as error:
        note(f"{error.message}; what the broker no longer keeps has no name here")
        return []


def _tell(found: TodoList) -> None:
    who = f"{found.worker or 'nobody'} · {found.label} · {found.title} ({found.state})"
    click.secho(one_line(who), bold=True)
    for todo in found.todos:
        subject = one_line(todo.subject) or f"point {todo.number}"
        click.secho(f"  {_BOXES[todo.status]} {subject}", fg=_COLOURS[todo.status])
    if not found.todos:
        say("no list yet")
