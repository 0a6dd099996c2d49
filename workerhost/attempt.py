"""One run of a task, from the lease to the record."""

from __future__ import annotations

import contextlib
import logging
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cw.errors import (
    BrokerUnavailableError,
    CwError,
    GitHubUnavailableError,
    StaleFenceError,
    UnavailableError,
)
from cw.models import Event, Outcome
from cw.states import OutcomeKind
from cw.store.tasks import Refusal
from workerhost import journal, launch, workspace
from workerhost.follow import Ending, Follower, follow
from workerhost.holding import Context, Holding, hold
from workerhost.journal import Journal, Run
from workerhost.layout import Home
from workerhost.recording import record, settled
from workerhost.settle import settle
from workerhost.starting import start
from workerhost.verdict import UNPROVEN, judge_process

log = logging.getLogger("workerhost.attempt")

_ASK_AGAIN_SECONDS = 30.0
_EVENT_CHARS = 2000  # of one event in the store; worker.log keeps all


def run_task(ctx: Context, home: Home, task_id: str) -> str:
    """Take the task and see it through. Returns a line for the log."""
    if launch.alive(home) or home.journal.exists():
        return "not run: the worker has a run to be settled first"
    granted = ctx.store.tasks.acquire(
        task_id,
        worker=home.id,
        host=ctx.settings.host_name,
        ttl=ctx.settings.lease_ttl,
        session=str(uuid.uuid4()),
    )
    if isinstance(granted, Refusal):
        return f"not run: {granted.reason}"
    task = ctx.store.tasks.get(task_id)
    if task is None:
        return "not run: gone"
    run = Run(
        worker=home.id,
        host=ctx.settings.host_name,
        attempt=granted.attempt,
        fence=granted.fence,
        session=granted.session,
        started_at=datetime.now(UTC),
    )
    book = Journal(phase="preparing", task=task.spec, run=run)
    held = hold(ctx, home, book)
    with held.lease:
        journal.clear(home)
        journal.write(home, book)
        try:
            book = start(held, task, book)
        except StaleFenceError:
            return _fenced(held, book)
        except CwError as error:
            now = datetime.now(UTC)
            outcome = _not_started(held, book, error, now)
            return record(held, settled(book, outcome, now), outcome)
        return _see_through(held, book, published_to=0)


def go_on(ctx: Context, home: Home, book: Journal, fence: int) -> str:
    """For a host that found the run in its journal and has its lease again."""
    book = book.model_copy(update={"run": book.run.model_copy(update={"fence": fence})})
    held = hold(ctx, home, book)
    with held.lease:
        journal.write(home, book)
        return (
            record(held, book, book.outcome)
            if book.outcome
            else _see_through(held, book, published_to=_published(held, book))
        )


def _see_through(held: Holding, book: Journal, *, published_to: int) -> str:
    """Follow the agent to its end, settle, record."""
    ctx, settings = held.ctx, held.ctx.settings
    follower = Follower(held.home, lambda events: _publish(held, events), published_to)
    ending = follow(held.home, follower, held.lease.lost, ctx.detach)
    if ending is Ending.DETACHED:
        log.info("run goes on without host task=%s worker=%s", held.task_id, held.home.id)
        return "detached"
    if ending is Ending.FENCED:
        return _fenced(held, book)
    ended = launch.read_exit(held.home)
    defer = timedelta(seconds=settings.defer_seconds)
    began = datetime.now(UTC)
    while True:
        now = datetime.now(UTC)
        outcome = settle(
            book.task,
            book.run,
            held.git(book),
            ctx.github_for(held.home.id) if book.task.github else None,
            judge_process(ending, ended, follower.progress, now, defer),
            follower.progress,
            now=now,
            defer=defer,
            redact=held.redact,
        )
        if outcome.reason not in UNPROVEN or now - began > defer or held.lease.lost.is_set():
            break
        if _stop_wanted(held):
            break
        # The agent is done; only the proof is missing. Asking again is cheaper than a new run.
        if ctx.detach.wait(min(_ASK_AGAIN_SECONDS, settings.defer_seconds / 10)):
            return "detached"
    return record(held, settled(book, outcome, now), outcome)


def _stop_wanted(held: Holding) -> bool:
    """There is no agent left to interrupt, only our own patience."""
    try:
        task = held.ctx.store.tasks.get(held.task_id)
    except BrokerUnavailableError:
        return False
    return task is not None and bool(task.stop_wanted)


def _not_started(held: Holding, book: Journal, error: CwError, now: datetime) -> Outcome:
    """A run that never had an agent has an outcome all the same."""
    away = isinstance(error, UnavailableError)
    later = now + timedelta(seconds=held.ctx.settings.defer_seconds)
    return Outcome(
        kind=OutcomeKind.DEFERRED if away else OutcomeKind.FAILED,
        reason=_away(error) if away else "not_started",
        message=held.redact(error.line()),
        duration_s=round((now - book.run.started_at).total_seconds(), 1),
        retry_at=later if away else None,
    )


def _away(error: CwError) -> str:
    if isinstance(error, BrokerUnavailableError):
        return "broker_unavailable"
    return (
        "github_unavailable" if isinstance(error, GitHubUnavailableError) else "remote_unavailable"
    )


def _fenced(held: Holding, book: Journal) -> str:
    """The lease is gone: keep the work here, claim nothing."""
    with contextlib.suppress(CwError):
        workspace.save_work(held.git(book), Path(book.run.clone), held.task_id.lower())
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.STOPPED,
        reason="lease_lost",
        message="the broker was away for longer than the lease; the work is in the clone",
        duration_s=round((now - book.run.started_at).total_seconds(), 1),
    )
    journal.archive(held.home, settled(book, outcome, now))
    return "fenced"


def _publish(held: Holding, events: list[Event]) -> None:
    clean = [
        one.model_copy(
            update={
                "text": held.redact(one.text)[:_EVENT_CHARS],  # in this order: half a key is a key
                "data": held.redact.deep(one.data),
            }
        )
        for one in events
    ]
    held.ctx.store.events.append(held.task_id, clean)


def _published(held: Holding, book: Journal) -> int:
    """How much of the log the stream already has: an adopted run is not told twice."""
    if not held.home.log.exists():
        return 0
    try:
        last = held.ctx.store.events.last(held.task_id)
    except BrokerUnavailableError:
        return 0
    # An event of an earlier run of this task speaks of another log.
    return last.offset if last and last.at >= book.run.started_at else 0
