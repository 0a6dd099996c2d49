"""Which pull requests are watched: those that the ends of our tasks have proved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cw.models import Repair, Task
from cw.names import repo_key
from cw.pulls.record import PullRecord
from cw.pulls.repaired import repaired
from cw.pulls.states import PullState
from cw.states import OutcomeKind

# What is remembered of an earlier task's.
_KEPT = {"stops", "released", "comments", "told", "rounds", "answered"}


def key_of(task: Task) -> tuple[str, int] | None:
    """Place and number of the pull request that it ended with, or was to mend."""
    done, repair = task.outcome, task.spec.repair
    if repair:
        return repo_key(task.spec.repo, task.spec.repo_id), repair.number
    if done is None or done.kind is not OutcomeKind.SUCCEEDED or not task.spec.github:
        return None
    number = done.pr.rpartition("/")[2]
    if not number.isdigit():
        return None
    return repo_key(task.spec.repo, task.spec.repo_id), int(number)


def not_begun(tasks: Iterable[Task], known: Mapping[tuple[str, int], str]) -> list[Task]:
    """The latest of each that no record goes by yet. `known`: the task that each goes by."""
    latest: dict[tuple[str, int], Task] = {}
    for task in tasks:
        key = key_of(task)
        if task.spec.repair and key in known:
            continue  # it goes by the task that made it
        if key and task.spec.id > max(known.get(key, ""), _id(latest.get(key))):
            latest[key] = task
    return list(latest.values())


def begun(task: Task, before: PullRecord | None = None) -> PullRecord | None:
    """`before`: its record of an earlier task, of which it is remembered what people said. Of a
    repair whose record a broker forgot: as it was before that, and it is absorbed like any.
    """
    key, done = key_of(task), task.outcome
    if key is None or done is None:
        return None
    if repair := task.spec.repair:
        return repaired(_before(task, repair), task)
    made_at = task.ended_at or task.spec.created_at
    kept = before.model_dump(include=_KEPT) if before else {}
    return PullRecord(
        repo=task.spec.repo,
        repo_id=task.spec.repo_id,
        number=key[1],
        url=done.pr,
        task=task.spec.id,
        issue=task.spec.issue,
        title=task.spec.title,
        by=task.spec.created_by,
        worker=task.worker or "",
        workers=before.with_worker(task.worker) if before else (task.worker or "",),
        host=task.host or "",
        session=task.session,
        branch=done.branch,
        cost_usd=task.total_usd,
        cost_estimated=task.spent_rough or done.cost_estimated,
        turns=task.total_turns,
        seconds=task.total_s,
        made_at=made_at,
        state=PullState.WATCHING,
        left=done.head,
        head=done.head,
        head_at=made_at,
        moved_at=made_at,
        **kept,
    )


def _before(task: Task, repair: Repair) -> PullRecord:
    spec = task.spec
    return PullRecord(
        repo=spec.repo,
        repo_id=spec.repo_id,
        number=repair.number,
        url=repair.url,
        task=repair.author,
        issue=spec.issue,
        title=spec.title,
        by=spec.created_by,
        worker=repair.worker,
        session=repair.session,
        branch=repair.branch,
        made_at=spec.created_at,
        left="",  # its runs may have pushed since
        head=repair.head,
        head_at=spec.created_at,
        moved_at=spec.created_at,
        rounds=repair.rounds,
    )


def _id(task: Task | None) -> str:
    return task.spec.id if task else ""
