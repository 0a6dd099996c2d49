"""How tasks went, summed up: how many succeed, how long they take, what they cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from cw.models import Model
from cw.operations.views.costs import BY, unheard
from cw.operations.views.history import Finished
from cw.states import OutcomeKind

MERGED = "merged"
_JUDGED = frozenset({OutcomeKind.SUCCEEDED, OutcomeKind.FAILED})


class StatsRow(Model):
    """What nobody knows is null, never zero."""

    name: str
    tasks: int  # of which a run has ended
    succeeded: int
    failed: int
    other: int  # put off, or stopped by a person: they say nothing of how tasks go
    success_rate: float | None  # of those that succeeded or failed
    runs: int
    runs_per_task: float | None
    timed: int  # tasks that succeeded or failed, and of which all runs' times are known
    p50_s: float | None  # seconds of a task's runs together, of those
    p95_s: float | None
    usd: float  # as the agent program counts it, of the runs whose cost is known
    estimated: int  # runs of which a part of the cost is
    unknown: int  # runs whose cost is not: the dollars here are at least so many
    usd_per_task: float | None
    pulls: int  # that tasks which succeeded have delivered
    usd_per_pull: float | None  # what failed costs, too
    merged: int | None  # of these; null: not asked
    unasked: int  # of which it is not known whether they were merged
    usd_per_merged: float | None  # where it is known of all


class Stats(Model):
    """`by`: what the rows are. A task counts where its last run that ended was."""

    by: str
    since: datetime | None  # tasks whose last run ended since then, with all their runs
    rows: list[StatsRow]  # the one with most tasks first; days by date
    total: StatsRow
    not_asked: str  # why it is not known of all pull requests whether they were merged; else empty


@dataclass(frozen=True, slots=True)
class TaskSum:
    """A task with all its runs. `seconds` None: not known of each."""

    last: Finished
    runs: int
    usd: float
    estimated: int
    unknown: int
    seconds: float | None

    @property
    def pull(self) -> str:
        """The URL of the pull request that it delivered."""
        outcome = self.last.outcome
        return outcome.pr if outcome.kind is OutcomeKind.SUCCEEDED else ""


def task_sums(rows: Iterable[Finished], since: datetime | None = None) -> list[TaskSum]:
    """`rows`: one a run, or one a task. Tasks that never had a run are left out."""
    runs: dict[str, list[Finished]] = {}
    for row in rows:
        if row.runs:
            runs.setdefault(row.task, []).append(row)
    found = map(_task_sum, runs.values())
    return [one for one in found if since is None or one.last.ended_at >= since]


def _task_sum(rows: Sequence[Finished]) -> TaskSum:
    """A run that left no archive, though its number says that there was one, is one whose cost and
    time nobody knows.
    """
    told = sum(row.runs for row in rows)
    runs = max(told, *(row.attempt for row in rows))
    timeless = any(unheard(row) and not row.duration_s for row in rows)
    return TaskSum(
        last=max(rows, key=lambda row: (row.attempt, row.ended_at)),  # one overtaken may end later
        runs=runs,
        usd=sum(row.cost_usd for row in rows),
        estimated=sum(row.cost_estimated for row in rows),
        unknown=sum(unheard(row) for row in rows) + runs - told,
        seconds=None if timeless or runs > told else sum(row.duration_s for row in rows),
    )


def stats(
    tasks: Sequence[TaskSum],
    by: str,
    since: datetime | None = None,
    names: Mapping[str, str] | None = None,
    merges: Mapping[str, str] | None = None,
    not_asked: str = "",
) -> Stats:
    """`names`: what accounts are called, by id. `merges`: the states of pull requests by URL, of
    those that are known; None: nobody asked.
    """
    known = names or {}
    groups: dict[str, list[TaskSum]] = {}
    for task in tasks:
        key = BY[by](task.last)
        groups.setdefault(known.get(key, key) or "?", []).append(task)
    rows = [_row(name, those, merges) for name, those in groups.items()]
    rows.sort(key=lambda row: row.name if by == "day" else (-row.tasks, row.name))
    total = _row("total", tasks, merges)
    why = not_asked if total.unasked else ""
    return Stats(by=by, since=since, rows=rows, total=total, not_asked=why)


def percentile(values: Iterable[float], percent: int) -> float | None:
    """The smallest of them that so many percent do not exceed; None: there are none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _row(name: str, tasks: Sequence[TaskSum], merges: Mapping[str, str] | None) -> StatsRow:
    kinds = [task.last.outcome.kind for task in tasks]
    succeeded, failed = kinds.count(OutcomeKind.SUCCEEDED), kinds.count(OutcomeKind.FAILED)
    judged = [task for task in tasks if task.last.outcome.kind in _JUDGED]
    times = [task.seconds for task in judged if task.seconds is not None]
    runs, unknown = sum(task.runs for task in tasks), sum(task.unknown for task in tasks)
    usd = round(sum(task.usd for task in tasks), 6)
    pulls = {task.pull for task in tasks} - {""}
    states = [(merges or {}).get(pull, "") for pull in pulls]
    merged, unasked = states.count(MERGED), states.count("")
    heard = usd if usd or not unknown else None
    return StatsRow(
        name=name,
        tasks=len(tasks),
        succeeded=succeeded,
        failed=failed,
        other=len(tasks) - len(judged),
        success_rate=_each(succeeded, len(judged)),
        runs=runs,
        runs_per_task=_each(runs, len(tasks)),
        timed=len(times),
        p50_s=percentile(times, 50),
        p95_s=percentile(times, 95),
        usd=usd,
        estimated=sum(task.estimated for task in tasks),
        unknown=unknown,
        usd_per_task=_each(heard, len(tasks)),
        pulls=len(pulls),
        usd_per_pull=_each(heard, len(pulls)),
        merged=None if merges is None else merged,
        unasked=unasked,
        usd_per_merged=None if unasked else _each(heard, merged),
    )


def _each(total: float | None, number: int) -> float | None:
    return None if total is None or not number else round(total / number, 6)
