"""What `cw show` tells about one task: what is wanted, where it stands, and how it came there.

Decided from the record, the stream's events and the archives of its runs, as far as each is there.
"""

from __future__ import annotations

from datetime import datetime

from cw.models import Event, Model, Outcome, Task
from cw.operations.fleet.remote_disk import Changes
from cw.operations.views.attempts import Attempt
from cw.operations.views.pulls import PullRow
from cw.operations.views.queue import queue
from cw.operations.views.rows import HeldRow, Overview, StuckRow, WaitingRow, WorkerRow
from cw.states import OutcomeKind, State

KINDS = frozenset({"init", "end", "limit"})  # the events that mark a task's way

_HEAD_LINES = 8
_HEAD_WIDTH = 200


class TimelineEntry(Model):
    at: datetime
    what: str


class Request(Model):
    """What was asked for."""

    repo: str
    issue: int | None
    title: str
    model: str
    mode: str
    branch: str
    by: str
    at: datetime
    wanted_worker: str | None
    prompt_bytes: int
    prompt_head: tuple[str, ...]  # its first lines, cut to a readable width


class Story(Model):
    task: str
    label: str
    request: Request
    state: str
    why: str
    worker: str | None
    host: str | None
    until: datetime | None  # of a hold
    outcome: Outcome | None
    cost_usd: float  # of all its runs that have ended
    cost_estimated: bool  # a part of it
    turns: int
    duration_s: float
    timeline: tuple[TimelineEntry, ...]
    attempts: tuple[Attempt, ...]
    changes: Changes | None  # without the diff itself
    pull: PullRow | None = None  # that it ended with
    notes: tuple[str, ...]  # what could not be found out, and why
    next: str  # what to type


def next_step(task: Task, seen: Overview, *, clone: bool) -> str:
    """What a person would type now. `clone`: its worker still has the branch to go on with."""
    spec = task.spec
    if task.state is State.DONE:
        return _after_done(task, on=bool(clone and task.session) and not _followed(task, seen))
    for row in queue(seen):
        if row.about.task == spec.id and row.next:
            return row.next
    return f"cw watch {spec.id}"


def _followed(task: Task, seen: Overview) -> bool:
    """Whether another task has its issue by now."""
    if task.spec.issue is None:
        return False
    rows: list[WorkerRow | WaitingRow | HeldRow | StuckRow]
    rows = [*seen.workers, *seen.waiting, *seen.held, *seen.stuck]
    there = (row.about for row in rows if row.about and row.about.task != task.spec.id)
    return any((other.repo, other.issue) == (task.spec.repo, task.spec.issue) for other in there)


def _after_done(task: Task, *, on: bool) -> str:
    spec, done = task.spec, task.outcome
    if done and done.kind is OutcomeKind.SUCCEEDED:
        return f"review {done.pr}" if done.pr else f"cw diff {spec.id}"
    what = f"-i {spec.issue}" if spec.issue is not None else "-p …"
    again = f"again with: cw dispatch -r {spec.repo} {what}"
    failed = done is not None and done.kind is OutcomeKind.FAILED
    here = (
        f"it goes on in its session and clone with: cw restart {spec.id}; " if failed and on else ""
    )
    return f"cw logs {spec.id}; {here}{again}"


def why(task: Task, seen: Overview) -> str:
    """Why it is where it is."""
    if task.outcome and task.state is State.DONE:
        return task.outcome.message or task.outcome.reason
    waiting = (row.reason for row in seen.waiting if row.about.task == task.spec.id)
    return next(waiting, task.reason)


def request(task: Task, prompt: str) -> Request:
    spec = task.spec
    return Request(
        repo=spec.repo,
        issue=spec.issue,
        title=spec.headline,
        model=spec.model,
        mode=spec.mode.value,
        branch=task.branch,
        by=spec.created_by,
        at=spec.created_at,
        wanted_worker=spec.wanted_worker,
        prompt_bytes=spec.prompt_bytes,
        prompt_head=_head(prompt),
    )


def timeline(task: Task, runs: list[Attempt], events: list[Event]) -> list[TimelineEntry]:
    """By time. What the last run tells, the record does not tell again."""
    spec = task.spec
    whom = f"worker {spec.wanted_worker}" if spec.wanted_worker else "the pool"
    by = f" by {spec.created_by}" if spec.created_by else ""
    steps = [TimelineEntry(at=spec.created_at, what=f"queued for {whom}{by}")]
    for run in runs:
        steps += _steps_of_run(run)
    for event in events:
        if event.kind == "limit":
            steps.append(TimelineEntry(at=event.at, what=f"usage limit, {event.text}"))
        elif event.kind == "init":
            steps.append(TimelineEntry(at=event.at, what=f"agent began: {event.text}"))
    told = any(run.ended_at and run.outcome == task.outcome for run in runs)
    steps += [] if told and task.state in {State.DONE, State.STOPPED} else _last_step(task)
    return sorted(steps, key=lambda entry: entry.at)


def _head(prompt: str) -> tuple[str, ...]:
    lines = prompt.strip().splitlines()[:_HEAD_LINES]
    return tuple(
        line if len(line) <= _HEAD_WIDTH else line[: _HEAD_WIDTH - 1] + "…" for line in lines
    )


def _steps_of_run(run: Attempt) -> list[TimelineEntry]:
    where = f" on worker {run.worker}" if run.worker else ""
    where += f", host {run.host}" if run.host else ""
    again = ", same conversation" if run.resumed else ""
    steps = [TimelineEntry(at=run.started_at, what=f"attempt {run.attempt} began{where}{again}")]
    if run.ended_at:
        end = f": {run.outcome.kind.value}, {run.outcome.message}" if run.outcome else ""
        steps.append(TimelineEntry(at=run.ended_at, what=f"attempt {run.attempt} ended{end}"))
    return steps


def _last_step(task: Task) -> list[TimelineEntry]:
    """Where the record stands, when the last run does not say it already."""
    at = task.ended_at
    if at is None or task.state is State.RUNNING:
        return []
    if task.state is State.HELD and task.not_before:
        until = task.not_before.astimezone()
        return [TimelineEntry(at=at, what=f"held until {until:%Y-%m-%d %H:%M}: {task.reason}")]
    if task.state is State.QUEUED:
        return [TimelineEntry(at=at, what=f"queued again: {task.reason}".rstrip(": "))]
    return [TimelineEntry(at=at, what=f"{task.state.value}: {task.reason}".rstrip(": "))]
