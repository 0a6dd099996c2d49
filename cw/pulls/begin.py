"""Which pull requests are watched: those that the ends of our tasks have proved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cw.models import OfPull, Reading, Task
from cw.names import repo_key
from cw.pulls.read import remembered
from cw.pulls.readings import Readings
from cw.pulls.recalled import absorbed
from cw.pulls.record import PullRecord
from cw.pulls.states import PullState
from cw.states import OutcomeKind

# What is remembered of an earlier task's.
_KEPT = {"stops", "released", "comments", "told", "rounds", "answered", "readings"}


def key_of(task: Task) -> tuple[str, int] | None:
    """Place and number of the pull request that it ended with, or was to mend or read."""
    done, job = task.outcome, task.spec.of_pull
    if job:
        return repo_key(task.spec.repo, task.spec.repo_id), job.number
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
        if task.spec.of_pull and key in known:
            continue  # it goes by the task that made it
        if key and task.spec.id > max(known.get(key, ""), _id(latest.get(key))):
            latest[key] = task
    return list(latest.values())


def begun(task: Task, before: PullRecord | None = None) -> PullRecord | None:
    """`before`: its record of an earlier task, of which it is remembered what people said. Of a
    repair or a reading whose record a broker forgot: as it was before that, and it is absorbed like
    any.
    """
    key, done = key_of(task), task.outcome
    if key is None or done is None:
        return None
    if job := task.spec.of_pull:
        return absorbed(_before(task, job), task)
    made_at = task.ended_at or task.spec.created_at
    kept = before.model_dump(include=_KEPT) if before else {}
    if done.drafted and not kept.get("readings"):
        kept["readings"] = Readings()
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


def _before(task: Task, job: OfPull) -> PullRecord:
    spec = task.spec
    return PullRecord(
        repo=spec.repo,
        repo_id=spec.repo_id,
        number=job.number,
        url=job.url,
        task=job.author,
        issue=job.issue if isinstance(job, Reading) else spec.issue,
        title=spec.title,
        by=spec.created_by,
        worker=job.worker,
        session=job.session,
        branch=job.branch,
        made_at=spec.created_at,
        left=job.head if isinstance(job, Reading) else "",  # a repair may have pushed since
        head=job.head,
        head_at=spec.created_at,
        moved_at=spec.created_at,
        rounds=job.rounds,
        readings=remembered(job),
    )


def _id(task: Task | None) -> str:
    return task.spec.id if task else ""
