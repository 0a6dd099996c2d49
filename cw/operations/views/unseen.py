"""What ended lately: failures and questions that nobody has seen yet, and the day in one line.

`recent` asks the store; `unseen` and `today` decide, from data and a clock alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cw.models import Task
from cw.names import BLOCKED_LABEL
from cw.operations.views.overview import about, overview, read_fleet
from cw.operations.views.rows import Overview, Today, UnseenRow
from cw.reasons import Reason
from cw.states import OutcomeKind

if TYPE_CHECKING:
    from cw.store.store import Store

SHOWN_FOR = timedelta(days=1)
_MOST = 500  # of the newest finished tasks: a fleet is looked at every second


@dataclass(frozen=True, slots=True)
class Recent:
    """Finished tasks, the newest first. `whole`: none of the last day is missing."""

    tasks: list[Task]
    whole: bool


def with_recent(store: Store, now: datetime) -> Overview:
    """The fleet, with what ended lately. Raises BrokerUnavailableError."""
    fleet, ended = read_fleet(store), recent(store, now)
    more = {"unseen": tuple(unseen(ended, fleet.tasks)), "today": today(ended, now)}
    return overview(fleet, now).model_copy(update=more)


def recent(store: Store, now: datetime) -> Recent:
    """Raises BrokerUnavailableError."""
    found = store.tasks.done_tasks(_MOST)
    fresh = [task for task in found if task.ended_at and now - task.ended_at < SHOWN_FOR]
    return Recent(fresh, len(fresh) < _MOST)


def today(seen: Recent, now: datetime) -> Today:
    ended = [task for task in seen.tasks if _day(task.ended_at) == _day(now)]
    kinds = [task.outcome.kind for task in ended if task.outcome]
    return Today(
        done=kinds.count(OutcomeKind.SUCCEEDED),
        failed=kinds.count(OutcomeKind.FAILED),
        cost_usd=sum(task.total_usd for task in ended),
        cost_estimated=any(task.spent_rough for task in ended),
        whole=seen.whole,
    )


def unseen(seen: Recent, open_tasks: Iterable[Task]) -> list[UnseenRow]:
    """The newest first. A newer task of the same issue says that somebody has looked. Of a repair
    or a reading its pull request says what is needed.
    """
    again: dict[tuple[str, int], str] = {}  # ids sort by creation
    for task in (*seen.tasks, *open_tasks):
        again[task.spec.key] = max(again.get(task.spec.key, ""), task.spec.id)
    return [
        _row(task)
        for task in seen.tasks
        if task.outcome
        and task.outcome.kind is OutcomeKind.FAILED
        and not task.seen_at
        and task.spec.of_pull is None
        and (task.spec.issue is None or again[task.spec.key] == task.spec.id)
    ]


def _row(task: Task) -> UnseenRow:
    outcome = task.outcome
    question = outcome is not None and outcome.reason == Reason.BLOCKED
    return UnseenRow(
        about=about(task),
        worker=task.worker,
        state="question" if question else "failed",
        at=task.ended_at or task.spec.created_at,
        reason=task.reason,
        next=_next(task, question=question),
    )


def _next(task: Task, *, question: bool) -> str:
    spec = task.spec
    if not spec.github or spec.issue is None:
        return f"cw show {spec.id}, then: cw seen {spec.id}"
    again = f"cw dispatch -i {spec.repo}#{spec.issue}"
    if question:
        issue = f"{spec.repo_url.removesuffix('.git')}/issues/{spec.issue}"
        return f"answer in {issue}, remove the label {BLOCKED_LABEL}, then: {again}"
    return f"cw show {spec.id}; again: {again}; or: cw seen {spec.id}"


def _day(at: datetime | None) -> object:
    return at.astimezone().date() if at else None
