"""A task's record as Flower shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cw.models import Outcome, Task
from cw.names import POOL_QUEUE, worker_queue
from cw.operations.fleet.references import shortest
from cw.states import OutcomeKind, State

# In Celery's words, so that Flower offers "Revoke" for what waits and "Terminate" for what runs.
_SHOWN = {
    State.QUEUED: "RECEIVED",
    State.RUNNING: "STARTED",
    State.HELD: "RETRY",
    State.STOPPED: "REVOKED",
    State.CRASHED: "FAILURE",
}
_ENDED = {
    OutcomeKind.SUCCEEDED: "SUCCESS",
    OutcomeKind.DEFERRED: "RETRY",
    OutcomeKind.FAILED: "FAILURE",
    OutcomeKind.STOPPED: "REVOKED",
}
_STAMPS = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "revoked", "RETRY": "retried"}


def row(task: Task, now: datetime, known: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of Flower's task, but for its Celery worker. `known`: ids of tasks beside it."""
    spec = task.spec
    line = task.worker or spec.wanted_worker
    shown = state(task)
    found: dict[str, Any] = {
        "name": f"{spec.label} · {line or 'pool'} · {spec.model}",
        "state": shown,
        "args": spec.headline,
        "kwargs": _attempt(task),
        "result": said(task, known),
        "retries": max(0, task.attempt - 1),
        "routing_key": worker_queue(line) if line else POOL_QUEUE,
        "received": spec.created_at.timestamp(),
        "started": _stamp(task.started_at),
        "runtime": _runtime(task, now),
        "timestamp": _stamp(task.ended_at or task.started_at) or spec.created_at.timestamp(),
        "eta": task.not_before.isoformat() if task.not_before else None,
    }
    if shown in _STAMPS:
        found[_STAMPS[shown]] = _stamp(task.ended_at)
    if shown == "FAILURE":
        found["exception"] = task.outcome.message if task.outcome else task.reason
    return found


def _attempt(task: Task) -> str:
    """`attempt 2 · may take 5usd`."""
    budget = task.spec.ceiling.text()
    parts = [f"attempt {task.attempt}"] if task.attempt else []
    return " · ".join([*parts, *([f"may take {budget}"] if budget else [])])


def state(task: Task) -> str:
    if task.state is State.DONE:
        return _ENDED[task.outcome.kind] if task.outcome else "REVOKED"
    return _SHOWN[task.state]


def said(task: Task, known: Iterable[str] = ()) -> str:
    """The column Result: how the last run ended, or why the task does not move."""
    if task.state is State.RUNNING:
        return f"a stop was asked for by {task.stop_wanted}" if task.stop_wanted else ""
    if task.state is State.QUEUED:
        return task.reason
    if task.state is State.HELD and task.not_before:
        until = f"goes on at {task.not_before:%m-%d %H:%M} UTC"
        return f"{_outcome(task)} · {until}" if task.outcome else until
    if task.state in {State.STOPPED, State.CRASHED}:
        return f"{task.state.value} · {task.reason} · cw restart {shortest(task.spec.id, known)}"
    return _outcome(task) if task.outcome else task.reason


def _outcome(task: Task) -> str:
    """`succeeded · PR #31 · $0.42`."""
    outcome = task.outcome or Outcome(kind=OutcomeKind.STOPPED, reason="", message="")
    parts = [outcome.kind.value]
    if outcome.kind is not OutcomeKind.SUCCEEDED:
        parts.append(outcome.reason)
    if outcome.pr:
        parts.append(f"PR #{outcome.pr.rpartition('/')[2]}")
    elif outcome.commits:
        parts.append(f"{outcome.commits} commit{'' if outcome.commits == 1 else 's'}")
    if task.total_usd:
        parts.append(f"{'~' * task.spent_rough}${task.total_usd:.2f}")
    return " · ".join(parts)


def _runtime(task: Task, now: datetime) -> float | None:
    """Of all its runs, in seconds; while one goes on, of that."""
    if task.state is State.RUNNING and task.started_at:
        return round((now - task.started_at).total_seconds(), 1)
    return task.total_s if task.outcome else None


def _stamp(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
