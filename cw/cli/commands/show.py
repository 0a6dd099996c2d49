"""`cw show`: everything about one task."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import id_argument, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import (
    STATE_STYLES,
    Column,
    duration,
    json_out,
    moment,
    money,
    note,
    one_line,
    say,
    table,
)
from cw.errors import CwError
from cw.escapes import escape_control
from cw.operations.fleet.references import Target

if TYPE_CHECKING:
    from cw.models import Task
    from cw.operations.fleet.remote_disk import Changes
    from cw.operations.views.attempts import Attempt
    from cw.operations.views.pulls import PullRow
    from cw.operations.views.timeline import Story

_ATTEMPTS = [
    Column("attempt", right=True),
    Column("worker"),
    Column("host", gives=True),
    Column("began"),
    Column("time", right=True),
    Column("turns", right=True),
    Column("cost", right=True),
    Column("outcome", state=True),
    Column("session", gives=True),
]


@click.command()
@id_argument
@json_option
@with_cli
def command(cli: Cli, target: Target, as_json: bool) -> None:
    """Everything about one task: request, state and why, its way so far, attempts, changes.

    ID is a task, or a worker for the task it has or had last. What only the worker's host knows is
    asked of it; while that is away, a line says so and the records tell the rest.
    """
    from cw.cli.watching import find_task

    task = find_task(cli.store, target, also_done=True)
    now = cli.store.tasks.now()
    story = _story(cli, task, now)
    if as_json:
        json_out(story.model_dump(mode="json"))
        return
    _tell_request(story, now)
    _tell_state(story, now)
    _tell_report(story)
    _tell_attempts(story, now)
    _tell_timeline(story, now)
    _tell_changes(story)
    say()
    say(f"next: {cli.short(story.next)}")
    for line in story.notes:
        note(line)


def _story(cli: Cli, task: Task, now: datetime) -> Story:
    from cw.operations.views import timeline
    from cw.operations.views.attempts import attempts
    from cw.operations.views.overview import overview, read_fleet
    from cw.operations.views.pulls import pull_of

    identity = task.spec.id
    seen = overview(read_fleet(cli.store), now)
    events = list(cli.store.events.every(identity, timeline.KINDS))
    archives, changes, notes = _from_disk(cli, task)
    runs = attempts(task, archives, events, cli.store.events.last(identity))
    return timeline.Story(
        task=identity,
        label=task.spec.label,
        request=timeline.request(task, cli.store.tasks.prompt(identity)),
        state=task.state.value,
        why=timeline.why(task, seen),
        worker=task.worker,
        host=task.host,
        until=task.not_before,
        outcome=task.outcome,
        cost_usd=task.total_usd,
        cost_estimated=task.spent_rough,
        turns=task.total_turns,
        duration_s=task.total_s,
        timeline=tuple(timeline.timeline(task, runs, events)),
        attempts=tuple(runs),
        changes=changes.model_copy(update={"diff": ""}) if changes else None,
        pull=pull_of(cli.store, task),
        notes=tuple(notes),
        next=timeline.next_step(task, seen, clone=changes is not None),
    )


def _from_disk(cli: Cli, task: Task) -> tuple[list[dict[str, object]], Changes | None, list[str]]:
    """Archives, changes, and what could not be had."""
    from cw.cli.disk import disk_of
    from cw.errors import UnavailableError

    archives: list[dict[str, object]] = []
    if not task.attempt:
        return archives, None, []
    try:
        disk = disk_of(cli, task.worker)
        archives = list(disk.archives(task.spec.id))
        return archives, disk.changes(task.spec.id), []
    except UnavailableError as error:
        return archives, None, [f"{error.message}; this is what the records hold"]
    except CwError as error:
        return archives, None, [error.line()]


def _tell_request(story: Story, now: datetime) -> None:
    asked = story.request
    click.secho(one_line(f"{story.task} · {story.label} · {asked.title}"), bold=True)
    _pair("repository", asked.repo)
    _pair("wanted", f"{moment(asked.at, now)} by {asked.by or 'somebody'}, model {asked.model}")
    _pair("branch", asked.branch)
    if asked.prompt_bytes:
        _pair("prompt", f"{asked.prompt_bytes:,} bytes")
        for line in asked.prompt_head:
            click.echo(f"    {escape_control(line)}")


def _tell_state(story: Story, now: datetime) -> None:
    state = story.outcome.kind.value if story.state == "done" and story.outcome else story.state
    until = f" until {moment(story.until, now)}" if story.until else ""
    word = click.style(state, fg=STATE_STYLES.get(state))
    click.echo(f"{'state':<11}{word}{until}{': ' if story.why else ''}{one_line(story.why)}")
    if story.worker:
        _pair("worker", f"{story.worker}{' on host ' + story.host if story.host else ''}")
    if story.cost_usd or story.turns:
        cost = money(story.cost_usd, estimated=story.cost_estimated)
        _pair("cost", f"{cost}, {story.turns} turns, {duration(story.duration_s)}")
    done = story.outcome
    if done is None:
        return
    if done.pr:
        _pair("pull req.", f"{done.pr}{_pull_state(story.pull, now)}")
    if story.pull and story.pull.stays:
        _pair("stays", story.pull.stays)
    if done.head and done.commits:
        pushed = "pushed" if done.pushed else "not pushed"
        _pair("commits", f"{done.commits} on {done.branch} ({done.head[:12]}, {pushed})")
    for name, refs in (("kept", (done.kept, done.wip)), ("rescued", done.rescued)):
        if found := ", ".join(filter(None, refs)):
            _pair(name, f"{found} in {done.clone or 'the clone'}")


def _pull_state(pull: PullRow | None, now: datetime) -> str:
    """What became of it since."""
    if pull is None:
        return ""
    more = f": {pull.waits}" if pull.waits else f" {moment(pull.ended_at, now)}"
    return f" ({pull.state}{more})"


def _tell_report(story: Story) -> None:
    """The agent's last words, where they are all that there is."""
    done = story.outcome
    if done and done.report and not done.commits:
        click.echo("\nReport")
        for line in done.report.splitlines():
            click.echo(f"  {escape_control(line)}".rstrip())


def _tell_attempts(story: Story, now: datetime) -> None:
    if story.attempts:
        click.echo()
        table(_ATTEMPTS, [_cells(attempt, now) for attempt in story.attempts], title="Attempts")


def _cells(run: Attempt, now: datetime) -> list[str]:
    end = run.ended_at or now
    return [
        str(run.attempt),
        run.worker,
        run.host,
        moment(run.started_at, now),
        # As the outcome counted it, on a clock that nobody sets.
        duration(run.outcome.duration_s if run.outcome else end - run.started_at),
        "" if run.turns is None else str(run.turns),
        money(run.cost_usd, estimated=run.cost_estimated),
        run.outcome.kind.value if run.outcome else "" if run.ended_at else "running",
        run.session,
    ]


def _tell_timeline(story: Story, now: datetime) -> None:
    click.echo("\nTimeline")
    for entry in story.timeline:
        click.echo(f"  {moment(entry.at, now):<16} {one_line(entry.what)}")


def _tell_changes(story: Story) -> None:
    from cw.cli.commands.diff import summary_lines

    if story.changes:
        click.echo("\nChanges")
        for line in summary_lines(story.changes):
            click.echo(f"  {line}")


def _pair(name: str, value: str) -> None:
    click.echo(f"{name:<11}{one_line(value)}")
