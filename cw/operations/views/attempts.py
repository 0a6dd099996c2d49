"""The runs of one task, from the archives of its host, its events and its record, as far as each is
there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cw.models import MALFORMED, Event, MaybeMoment, Model, Moment, Outcome, Task
from cw.states import State


class Attempt(Model):
    """One run. What only its archive says is empty while its host is away."""

    attempt: int
    worker: str = ""
    host: str = ""
    session: str = ""
    resumed: bool = False
    started_at: Moment
    ended_at: MaybeMoment = None
    turns: int | None = None  # so far, while it runs
    cost_usd: float | None = None  # known at its end
    cost_estimated: bool = False  # a part of it
    outcome: Outcome | None = None


def attempts(
    task: Task, archives: Iterable[dict[str, Any]], events: list[Event], last: Event | None
) -> list[Attempt]:
    """One for each run that is known of, by number: from its archive, else from its events, else
    from the record. `last`: the newest event of any kind.
    """
    found = {attempt.attempt: attempt for data in archives if (attempt := from_archive(data))}
    for attempt in _from_events(task, events):
        found.setdefault(attempt.attempt, attempt)
    if task.attempt and task.started_at:
        found.setdefault(task.attempt, Attempt(attempt=task.attempt, started_at=task.started_at))
        found[task.attempt] = _with_record(found[task.attempt], task)
    return [_counted(found[number], last) for number in sorted(found)]


def from_archive(data: dict[str, Any]) -> Attempt | None:
    """None: not an archive we can read."""
    run = data.get("run")
    if not isinstance(run, dict):
        return None
    known = {name: value for name, value in run.items() if name in Attempt.model_fields}
    done = data.get("outcome")
    if isinstance(done, dict):
        known["outcome"] = {name: done[name] for name in done if name in Outcome.model_fields}
    try:
        return Attempt.model_validate(known)
    except MALFORMED:
        return None


def _from_events(task: Task, events: list[Event]) -> list[Attempt]:
    """Each `init` is a run, the last one the record's. A run that never had an agent has none."""
    found: list[dict[str, Any]] = []
    for event in events:
        if event.kind == "init":
            found.append({"started_at": event.at})
        elif event.kind == "end" and found:
            found[-1]["ended_at"] = event.at
    first = task.attempt - len(found) + 1
    return [
        Attempt.model_validate({"attempt": number, **times})
        for number, times in enumerate(found, first)
        if number > 0
    ]


def _with_record(run: Attempt, task: Task) -> Attempt:
    """The last run, with what the record knows of it."""
    running = task.state is State.RUNNING
    known = {
        "worker": run.worker or task.worker or "",
        "host": run.host or task.host or "",
        "session": run.session or task.session or "",
        "started_at": task.started_at,
        "ended_at": None if running else run.ended_at or task.ended_at,
        "outcome": None if running else run.outcome or task.outcome,
    }
    return run.model_copy(update=known)


def _counted(run: Attempt, last: Event | None) -> Attempt:
    """With turns and cost, of its outcome or so far."""
    if run.outcome:
        done = {
            "turns": run.outcome.turns,
            "cost_usd": run.outcome.cost_usd,
            "cost_estimated": run.outcome.cost_estimated,
        }
        return run.model_copy(update=done)
    turns = last.data.get("turns") if last and last.at >= run.started_at else None
    return run.model_copy(update={"turns": turns if isinstance(turns, int) else None})
