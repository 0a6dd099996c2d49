"""Finished tasks as rows, from records of the store or from the archives in a HOME."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from cw.models import Model, Moment, Outcome, Task, TaskSpec


class _Run(Model):
    """What of an archived run a row needs."""

    worker: str = ""
    started_at: Moment
    ended_at: Moment | None = None


class Finished(Model):
    """One finished task."""

    task: str
    label: str
    repo: str
    issue: int | None
    title: str
    model: str
    worker: str
    ended_at: datetime
    outcome: Outcome


def from_record(task: Task) -> Finished | None:
    """None: it has no outcome."""
    if task.outcome is None:
        return None
    ended = task.ended_at or task.started_at or task.spec.created_at
    return _finished(task.spec, task.worker or "", ended, task.outcome)


def from_archive(data: dict[str, Any]) -> Finished | None:
    """None: not an archive we can read. What another version wrote beside our fields is passed."""
    try:
        spec = TaskSpec.model_validate(_known(TaskSpec, data.get("task")))
        run = _Run.model_validate(_known(_Run, data.get("run")))
        outcome = Outcome.model_validate(_known(Outcome, data.get("outcome")))
    except ValidationError:
        return None
    return _finished(spec, run.worker, run.ended_at or run.started_at, outcome)


def newest(rows: list[Finished], limit: int) -> list[Finished]:
    return sorted(rows, key=lambda one: one.ended_at, reverse=True)[:limit]


def _known(model: type[Model], data: object) -> dict[str, Any]:
    given = data if isinstance(data, dict) else {}
    return {name: value for name, value in given.items() if name in model.model_fields}


def _finished(spec: TaskSpec, worker: str, ended: datetime, outcome: Outcome) -> Finished:
    return Finished(
        task=spec.id,
        label=spec.label,
        repo=spec.repo,
        issue=spec.issue,
        title=spec.title,
        model=spec.model,
        worker=worker,
        ended_at=ended,
        outcome=outcome,
    )
