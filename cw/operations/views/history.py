"""Finished tasks as rows, from records of the store or from the archives in a HOME."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cw.models import MALFORMED, Model, Moment, Outcome, Task, TaskSpec


class _Run(Model):
    """What of an archived run a row needs."""

    worker: str = ""
    account: str = ""
    attempt: int = 0
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
    # Of a record: of all its runs. Of an archive: of that run.
    cost_usd: float
    cost_estimated: bool  # a part of it
    turns: int
    duration_s: float
    outcome: Outcome
    account: str = ""  # the id of the one it ran on; of a record empty
    attempt: int = 0  # the number of that run, of a record of the last; 0: none, or not noted
    runs: int = 1  # of a record: all that its task has had
    repo_id: int = 0  # GitHub's; 0: as `TaskSpec.repo_id`


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which finished tasks are asked for; None and empty: any."""

    worker: str | None = None
    task: str | None = None
    repo: str | None = None
    since: datetime | None = None
    outcome: str | None = None

    def fits(self, row: Finished) -> bool:
        return (
            self.worker in {None, row.worker}
            and self.task in {None, row.task}
            and (self.repo is None or self.repo.lower() == row.repo.lower())
            and (self.since is None or row.ended_at >= self.since)
            and self.outcome in {None, row.outcome.kind.value}
        )

    def over(self, row: Finished) -> bool:
        """Whether everything older than this row is too old."""
        return self.since is not None and row.ended_at < self.since


def take(rows: Iterable[Finished], wanted: Wanted, limit: int) -> list[Finished]:
    """The first `limit` that fit, of rows newest first; looks at no more than it must."""
    found: list[Finished] = []
    for row in rows:
        if wanted.over(row):
            break
        found += [row] if wanted.fits(row) else []
        if len(found) == limit:
            break
    return found


def merge(records: list[Finished], archived: list[Finished]) -> list[Finished]:
    """Archives have one row a run, records one a task: a task that has archives is told by them."""
    told = {row.task for row in archived}
    return [*archived, *(row for row in records if row.task not in told)]


def from_record(task: Task) -> Finished | None:
    """None: it has no outcome."""
    if task.outcome is None:
        return None
    ended = task.ended_at or task.started_at or task.spec.created_at
    row = _finished(task.spec, task.worker or "", ended, task.outcome)
    spent = {
        "cost_estimated": task.spent_rough or task.outcome.cost_estimated,
        "cost_usd": task.total_usd,
        "turns": task.total_turns,
        "duration_s": task.total_s,
        "attempt": task.attempt,
        "runs": task.attempt,
    }
    return row.model_copy(update=spent)


def from_archive(data: dict[str, Any]) -> Finished | None:
    """None: not an archive we can read. What another version wrote beside our fields is passed."""
    try:
        spec = TaskSpec.model_validate(_known(TaskSpec, data.get("task")))
        run = _Run.model_validate(_known(_Run, data.get("run")))
        outcome = Outcome.model_validate(_known(Outcome, data.get("outcome")))
    except MALFORMED:
        return None
    row = _finished(spec, run.worker, run.ended_at or run.started_at, outcome)
    return row.model_copy(update={"account": run.account, "attempt": run.attempt})


def newest(rows: list[Finished], limit: int) -> list[Finished]:
    return sorted(rows, key=lambda row: row.ended_at, reverse=True)[:limit]


def _known(model: type[Model], data: object) -> dict[str, Any]:
    given = data if isinstance(data, dict) else {}
    return {name: value for name, value in given.items() if name in model.model_fields}


def _finished(spec: TaskSpec, worker: str, ended: datetime, outcome: Outcome) -> Finished:
    return Finished(
        task=spec.id,
        label=spec.label,
        repo=spec.repo,
        repo_id=spec.repo_id,
        issue=spec.issue,
        title=spec.headline,
        model=spec.model,
        worker=worker,
        ended_at=ended,
        cost_usd=outcome.cost_usd,
        cost_estimated=outcome.cost_estimated,
        turns=outcome.turns,
        duration_s=outcome.duration_s,
        outcome=outcome,
    )
