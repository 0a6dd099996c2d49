"""What `cw prs` shows: each pull request of a task, where it stands and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from cw.models import Model
from cw.pulls.begin import begun, key_of, not_begun
from cw.pulls.merging import Change, seen_change, sharing
from cw.pulls.record import PullRecord

if TYPE_CHECKING:
    from cw.models import Task
    from cw.store.store import Store


class PullRow(Model):
    repo: str
    number: int
    url: str
    issue: int | None
    title: str
    task: str
    worker: str
    by: str  # who dispatched the task
    state: str  # a value of PullState
    cause: str  # conflict, checks, asks, review, base, stuck; empty: none
    waits: str  # for what, in words
    checks: str
    conflicts: str  # yes, no; empty: not known yet
    review: str  # approved, changes, threads, wanted; empty: none
    draft: bool
    base: str
    added: int  # lines
    removed: int
    files: int
    shares: tuple[int, ...]  # numbers of open ones into the same base that change one of them
    compared: int  # how many of them that was asked of
    rounds: int  # pushes of repairs
    cost_usd: float  # of its task
    cost_estimated: bool  # a part of it
    at: datetime  # the task's end
    looked_at: datetime | None
    ended_at: datetime | None
    stays: str  # what its merge leaves at its worker, and why; empty: nothing, or not seen to yet


def pull_records(store: Store, *, ended: bool = False) -> list[PullRecord]:
    """The open ones, also those that no pass has seen yet; then those that have ended."""
    tasks = [task for task_id in store.pulls.new() if (task := store.tasks.get(task_id))]
    new = [begun(task) for task in (not_begun(tasks, store.pulls.known()) if tasks else ())]
    found = [*store.pulls.open(), *(record for record in new if record)]
    return [*found, *store.pulls.ended()] if ended else found


def pull_of(store: Store, task: Task) -> PullRow | None:
    """That a task ended with."""
    key = key_of(task)
    record = (store.pulls.get(key) or begun(task)) if key else None
    return next(iter(pull_rows([record], store.pulls.open()))) if record else None


def pull_rows(records: Iterable[PullRecord], others: Iterable[PullRecord]) -> list[PullRow]:
    """`others`: all that are open."""
    beside = [seen_change(other) for other in others]
    return [_row(record, beside) for record in records]


def _row(record: PullRecord, beside: Iterable[Change]) -> PullRow:
    seen = record.shown
    return PullRow(
        repo=record.repo,
        number=record.number,
        url=record.url,
        issue=record.issue,
        title=record.title,
        task=record.task,
        worker=record.worker,
        by=record.by,
        state=record.state.value,
        cause=record.cause.value if record.cause else "",
        waits=record.waits,
        checks=seen.checks,
        conflicts=seen.conflicts,
        review=seen.review,
        draft=seen.draft,
        base=seen.base,
        added=seen.added,
        removed=seen.removed,
        files=seen.files,
        shares=sharing(seen_change(record), beside) if record.open else (),
        compared=len(seen.paths),
        rounds=len(record.rounds),
        cost_usd=record.cost_usd,
        cost_estimated=record.cost_estimated,
        at=record.made_at,
        looked_at=record.looked_at,
        ended_at=record.ended_at,
        stays="; ".join(f"worker {at}: {why}" for at, why in record.cleared.items() if why),
    )
