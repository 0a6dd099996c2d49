"""`cw watch`: follow a task live through the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cw.cli.arguments.params import id_argument, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import duration, json_line, moment, money, note, say
from cw.cli.views.stream import show_event
from cw.operations.fleet.references import Target, short_id

if TYPE_CHECKING:
    from cw.models import Task
    from cw.store.store import Store

_BACKLOG = 20  # events shown of what happened before


@click.command()
@id_argument
@json_option
@click.pass_context
@with_cli
def command(cli: Cli, ctx: click.Context, target: Target, as_json: bool) -> None:
    """Follow one worker or task live, from any machine.

    Begins with the last 20 events and ends with the task's outcome; exit status 1 when that is not
    success. On a terminal, the last line says what the agent is in the middle of. A worker that is
    about to take a task of the pool is waited for. Ctrl-C only stops the watching. With --json,
    each line is an object whose `type` is `task` or `event`.
    """
    from cw.cli.watching import await_task

    task = await_task(cli.store, target, note)
    good = _print_json(cli.store, task) if as_json else _print(cli.store, task)
    ctx.exit(0 if good else 1)


def _print(store: Store, task: Task) -> bool:
    from cw.cli.views.midst import Midst
    from cw.cli.watching import FINAL, follow_task
    from cw.models import Event

    spec = task.spec
    say(f"{short_id(store, spec.id)} · {spec.label} · {spec.headline} · {spec.model}")
    past, after = store.events.tail(task.spec.id, _BACKLOG)
    midst = Midst(store, past)
    for event in past:
        show_event(event)
    for news in follow_task(store, task.spec.id, wait=True, after=after, idle=midst.tell):
        midst.clear()
        if isinstance(news, Event):
            midst.saw(news)
            show_event(news)
            continue
        task = news
        click.secho(_state_line(task, store), bold=task.state in FINAL)
    return _succeeded(task)


def _print_json(store: Store, task: Task) -> bool:
    from cw.cli.views.midst import Midst
    from cw.cli.watching import follow_task
    from cw.models import Event

    midst = Midst(store, (), shown=False)
    for news in follow_task(store, task.spec.id, wait=True, idle=midst.tell):
        sort = "event" if isinstance(news, Event) else "task"
        line: dict[str, Any] = {"type": sort, **news.model_dump(mode="json")}
        json_line(line)
        task = task if isinstance(news, Event) else news
    return _succeeded(task)


def _succeeded(task: Task) -> bool:
    return task.outcome is not None and task.outcome.kind.value == "succeeded"


def _state_line(task: Task, store: Store) -> str:
    from cw.cli.views.render import one_line

    return one_line(_describe(task, store))


def _describe(task: Task, store: Store) -> str:
    done = task.outcome
    if task.state.value == "done" and done:
        result = done.pr or done.message or done.reason
        work = "1 commit" if done.commits == 1 else f"{done.commits} commits"
        cost = money(task.total_usd, estimated=task.spent_rough)
        spent = f"{duration(task.total_s)}, {task.total_turns} turns, {cost}"
        return f"{done.kind.value}: {result} ({work}, {spent})"
    if task.state.value == "running":
        return f"running on worker {task.worker}, host {task.host}, attempt {task.attempt}"
    if task.state.value == "held":
        until = moment(task.not_before, store.tasks.now())
        return f"held until {until}: {task.reason}"
    if task.state.value == "queued":
        line = store.tasks.waiting(task.worker)
        place = line.index(task.spec.id) + 1 if task.spec.id in line else 1
        who = f"worker {task.worker}" if task.worker else "the first free worker"
        return f"queued for {who}, place {place}{': ' + task.reason if task.reason else ''}"
    again = short_id(store, task.spec.id)
    return f"{task.state.value}: {task.reason}. Go on with: cw restart {again}"
