"""What a worker's label, a task and an issue say about each other, and what follows.

Pure: `decide` is the table of docs/assign.md, one function a row or two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cw.models import Task
from cw.names import BLOCKED_LABEL, has_label, is_worker_id, worker_label, worker_of_label
from cw.reasons import Reason
from cw.states import OutcomeKind, State


class Do(StrEnum):
    ADOPT = "adopt"  # dispatch it again, for the worker of its label
    RELABEL = "relabel"
    UNLABEL = "unlabel"
    BLOCK = "block"  # add the label `blocked`
    CLOSE = "close"  # end the task; it does not run
    STOP = "stop"  # ask for the end of its run
    REPORT = "report"  # a person decides


@dataclass(frozen=True, slots=True)
class RepairStep:
    do: Do
    why: str
    worker: str = ""  # whose label
    reason: str = ""  # of the outcome, for CLOSE


@dataclass(frozen=True, slots=True)
class SetBy:
    """Who put a label on."""

    us: bool
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueState:
    """One issue, freshly read, and our records of it."""

    open: bool
    labels: tuple[str, ...]  # all of them
    task: Task | None = None  # the unfinished one
    finished: Task | None = None  # the last finished one
    pull: str = ""  # of the finished one: open, merged, closed; "" not asked or none
    workers: frozenset[str] = frozenset()  # of this fleet
    set_by: Mapping[str, SetBy] = field(default_factory=dict)  # by worker, oldest first
    taken_off: frozenset[str] = frozenset()  # whose label was there for this task and is no more
    relabelled: bool = False  # we have put this task's label back before
    now: datetime
    grace: timedelta

    @property
    def marked(self) -> tuple[str, ...]:
        """The workers whose labels it carries."""
        return tuple(worker for label in self.labels if (worker := worker_of_label(label)))

    @property
    def blocked(self) -> bool:
        return has_label(self.labels, BLOCKED_LABEL)


def decide(seen: IssueState) -> list[RepairStep]:
    """Nothing, when all agree or something is too young to be judged."""
    if _too_young(seen):
        return []
    if not seen.open:
        return _closed_issue(seen)
    if seen.task is None:
        return _no_task(seen)
    return _unfinished_task(seen, seen.task)


def needs_events(seen: IssueState) -> bool:
    """Whether it matters who put labels on or took them off."""
    if not seen.open or _too_young(seen):
        return False
    if seen.task is not None:
        waits = _waits(seen.task) and not _no_label_yet(seen.task)
        return waits and _worker(seen.task) not in {None, *seen.marked}
    return bool(seen.marked) and _ended(seen) not in {OutcomeKind.SUCCEEDED, OutcomeKind.FAILED}


def needs_pull(seen: IssueState) -> bool:
    """Whether it matters what became of the pull request."""
    done = seen.task is None and _ended(seen) is OutcomeKind.SUCCEEDED
    return done and seen.open and not seen.blocked and not _too_young(seen)


def _closed_issue(seen: IssueState) -> list[RepairStep]:
    task = seen.task
    if task is not None and task.state is State.RUNNING:
        return [RepairStep(Do.STOP, "the issue was closed under its run", task.worker or "")]
    steps = []
    if task is not None:
        steps.append(RepairStep(Do.CLOSE, "its issue is closed", reason=Reason.ISSUE_CLOSED))
    ours = [worker for worker in seen.marked if worker in seen.workers]
    return steps + [_unlabel(worker, "the issue is closed") for worker in ours]


def _no_task(seen: IssueState) -> list[RepairStep]:
    ended = _ended(seen)
    if ended is OutcomeKind.SUCCEEDED:
        return _succeeded(seen)
    if not seen.marked or ended is OutcomeKind.FAILED:
        return []  # after a failure the label stays until a person takes it off
    if ended is OutcomeKind.STOPPED and seen.finished and seen.finished.worker in seen.marked:
        return [_unlabel(seen.finished.worker or "", "its task was ended")]
    if any(seen.now - event.at < seen.grace for event in seen.set_by.values()):
        return []
    foreign = [worker for worker in seen.marked if not _set_by_us(seen, worker)]
    if foreign:  # those of workers we do not know are another fleet's business
        text = "carries its label without a task, and this token's account did not put it on"
        return [RepairStep(Do.REPORT, text, worker) for worker in foreign if worker in seen.workers]
    first, *others = [worker for worker in seen.set_by if worker in seen.marked]
    steps = [
        _unlabel(worker, "no task, and another worker's label came first") for worker in others
    ]
    if first not in seen.workers or not is_worker_id(first) or seen.blocked:
        return [*steps, _unlabel(first, "no task, and it cannot have one")]
    return [*steps, RepairStep(Do.ADOPT, "we put the label on, but its task is lost", first)]


def _succeeded(seen: IssueState) -> list[RepairStep]:
    """Whoever labels it after our success asks for something; nobody guesses what."""
    last = seen.finished.worker if seen.finished else None
    steps = [
        _unlabel(worker, "its task is done")
        if worker == last
        else RepairStep(
            Do.REPORT, f"carries {worker_label(worker)}, but worker {last} is done with it", worker
        )
        for worker in seen.marked
    ]
    if seen.pull == "closed" and not seen.blocked:
        steps.append(RepairStep(Do.BLOCK, "its pull request was closed without a merge"))
    return steps


def _unfinished_task(seen: IssueState, task: Task) -> list[RepairStep]:
    mine = _worker(task)
    if _waits(task) and seen.blocked:
        wrong = [
            _unlabel(worker, "the issue is blocked") for worker in seen.marked if worker == mine
        ]
        return [
            RepairStep(Do.CLOSE, "its issue was labelled blocked", reason=Reason.ISSUE_BLOCKED),
            *wrong,
        ]
    if _no_label_yet(task):
        return []
    if mine is None:  # of the pool: the label comes with the worker
        return [_stranger(worker) for worker in seen.marked]
    if mine in seen.marked:
        others = [worker for worker in seen.marked if worker != mine]
        return [_unlabel(worker, f"worker {mine} has the task") for worker in others]
    if _waits(task) and mine in seen.taken_off:
        text = f"somebody took {worker_label(mine)} off before it ran"
        return [RepairStep(Do.CLOSE, text, reason=Reason.LABEL_REMOVED)]
    if _waits(task) or task.state is State.RUNNING:
        return _label_gone(seen, mine)
    return []  # stopped or crashed: a person is at it anyway


def _label_gone(seen: IssueState, mine: str) -> list[RepairStep]:
    others = [_unlabel(worker, f"worker {mine} has the task") for worker in seen.marked]
    if seen.relabelled:
        text = f"{worker_label(mine)} was taken off again; cw stop {mine} would end the task"
        return [RepairStep(Do.REPORT, text, mine), *others]
    return [RepairStep(Do.RELABEL, "its task has not ended", mine), *others]


def _worker(task: Task) -> str | None:
    return task.line


def _waits(task: Task) -> bool:
    return task.state in {State.QUEUED, State.HELD}


def _no_label_yet(task: Task) -> bool:
    """That of a repair comes with its run: the end of the task before has taken it off."""
    return task.spec.repair is not None and _waits(task) and not task.attempt


def _too_young(seen: IssueState) -> bool:
    """Somebody may be between two steps of a dispatch, a start or an end."""
    moments = []
    if seen.task is not None:
        moments += [seen.task.spec.created_at, seen.task.started_at]
    elif seen.finished is not None:
        moments.append(seen.finished.ended_at)
    return any(moment is not None and seen.now - moment < seen.grace for moment in moments)


def _ended(seen: IssueState) -> OutcomeKind | None:
    """A repair only comes after a success, which its pull request still stands for."""
    outcome = seen.finished.outcome if seen.finished else None
    if outcome and seen.finished and seen.finished.spec.repair:
        return OutcomeKind.SUCCEEDED
    return outcome.kind if outcome else None


def _set_by_us(seen: IssueState, worker: str) -> bool:
    return worker in seen.set_by and seen.set_by[worker].us


def _unlabel(worker: str, why: str) -> RepairStep:
    return RepairStep(Do.UNLABEL, why, worker)


def _stranger(worker: str) -> RepairStep:
    return RepairStep(
        Do.REPORT, f"carries {worker_label(worker)}, but its task waits for anyone", worker
    )
