"""Which issues may be handed to a worker, and why not. Nothing is asked or done here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cw.fleet_models import Host, Worker
from cw.models import Task
from cw.names import BLOCKED_LABEL, has_label, is_worker_label
from cw.reasons import Reason
from cw.states import OutcomeKind, State

if TYPE_CHECKING:
    from datetime import datetime

    from cw.forges.issues import Listed

UNFINISHED = frozenset({State.QUEUED, State.RUNNING, State.HELD})  # goes on by itself


class Word(StrEnum):
    """A verdict in one word."""

    ASSIGN = "assign"
    PULL_REQUEST = "pull_request"
    TAKEN = "taken"  # has a task, or a worker's label
    FINISHED = "finished"  # a worker is done with it; its pull request decides
    BLOCKED = "blocked"
    DEPENDS = "depends"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"  # needs an answer that this pass has no request left for
    REPO_CAP = "repo_cap"
    REVIEW_CAP = "review_cap"
    HELD = "held"  # its repository waits for a person
    NO_WORKER = "no_worker"  # could be assigned, but nobody is idle
    REFUSED = "refused"  # dispatch said no


@dataclass(frozen=True, slots=True)
class Eligibility:
    word: Word
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known about an issue beside its row in the list. None: not asked yet."""

    task: str = ""  # id of its unfinished task
    finished: str = ""  # pull request, or id, of the task that succeeded
    trusted: bool | None = True
    blockers: tuple[str, ...] = ()  # open ones
    unread: tuple[str, ...] = ()  # whose state nobody knows
    repo_tasks: int = 0
    repo_cap: int = 0  # 0: none
    reviews: int = 0
    review_cap: int = 0  # 0: none
    held: str = ""  # why its repository is


def judge(issue: Listed, facts: Facts, go_label: str) -> Eligibility:
    """What costs nothing is looked at first: an issue that is out anyway is not asked about."""
    out = _by_the_list(issue, facts) or _by_the_caps(issue, facts)
    if out:
        return out
    if facts.blockers:
        return Eligibility(Word.DEPENDS, f"waits for {', '.join(facts.blockers)}")
    if facts.trusted is False:
        return Eligibility(Word.UNTRUSTED, _distrust(issue, go_label))
    if facts.trusted is None or facts.unread:
        what = ", ".join(facts.unread) or "whether its author may be trusted"
        return Eligibility(Word.UNKNOWN, f"not read yet: {what}; a later pass asks")
    return Eligibility(Word.ASSIGN, "ready")


def _by_the_list(issue: Listed, facts: Facts) -> Eligibility | None:
    if issue.is_pull:
        return Eligibility(Word.PULL_REQUEST, "is a pull request")
    mine = [label for label in issue.labels if is_worker_label(label)]
    if facts.task:
        return Eligibility(Word.TAKEN, f"task {facts.task} has it")
    if mine:
        return Eligibility(Word.TAKEN, f"carries {', '.join(mine)}")
    if has_label(issue.labels, BLOCKED_LABEL):
        return Eligibility(Word.BLOCKED, f"is labelled {BLOCKED_LABEL}")
    if facts.finished:
        return Eligibility(Word.FINISHED, f"a worker is done with it: {facts.finished}")
    if issue.blocked_by:
        return Eligibility(Word.DEPENDS, f"{issue.blocked_by} open issue(s) block it")
    return None


def _by_the_caps(issue: Listed, facts: Facts) -> Eligibility | None:
    if facts.held:
        return Eligibility(Word.HELD, facts.held)
    if facts.review_cap and facts.reviews > facts.review_cap:
        return Eligibility(
            Word.REVIEW_CAP,
            f"{facts.reviews} pull requests of workers wait for review, more than"
            f" {facts.review_cap}",
        )
    if facts.repo_cap and facts.repo_tasks >= facts.repo_cap:
        return Eligibility(
            Word.REPO_CAP, f"{issue.repo} has {facts.repo_tasks} tasks, its cap is {facts.repo_cap}"
        )
    return None


def _distrust(issue: Listed, go_label: str) -> str:
    who = f"{issue.author} has no write access"
    if has_label(issue.labels, go_label):
        return f"{who}, and {go_label} was not set by someone who has it, or the text changed since"
    return f"{who}; the label {go_label} of someone who has it would admit it"


def in_order(issues: Collection[Listed], priority: Sequence[str]) -> list[Listed]:
    """Priority labels first, in their order, then the oldest."""

    def key(issue: Listed) -> tuple[int, float, str, int]:
        ranks = [at for at, label in enumerate(priority) if has_label(issue.labels, label)]
        return min(ranks, default=len(priority)), issue.created_at.timestamp(), *issue.key

    return sorted(issues, key=key)


def idle_workers(
    workers: Collection[Worker],
    hosts: Collection[Host],
    tasks: Collection[Task],
    reserve: int,
    now: datetime,
) -> list[str]:
    """Who can be given something: on a host that is up, nothing in hand and nothing in line.

    What waits in the pool will take some of them, and `reserve` are left free.
    """
    up = {host.name for host in hosts if host.up(now)}
    wanted = {_wanted(task) for task in tasks if task.state in UNFINISHED}
    pool = sum(task.state is State.QUEUED and not _wanted(task) for task in tasks)
    idle = [
        worker.id
        for worker in workers
        if worker.host in up and _free(worker) and worker.id not in wanted
    ]
    return idle[: max(0, len(idle) - pool - reserve)]


def _free(worker: Worker) -> bool:
    return not worker.task and not worker.paused


def _wanted(task: Task) -> str | None:
    return task.line


def done_with(task: Task | None) -> str:
    """What a finished task leaves in the way of another: a success, or a person's cancel.

    After a failure it is the worker's label on the issue that keeps it from being handed out again.
    A repair leaves its pull request, however it ended.
    """
    if task is None or task.outcome is None:
        return ""
    if task.spec.repair:
        return task.pull
    if task.outcome.reason == Reason.CANCELLED:
        return f"task {task.spec.id} was cancelled"
    if task.outcome.kind is not OutcomeKind.SUCCEEDED:
        return ""
    return task.pull or f"task {task.spec.id}"


def reviews(issues: Collection[Listed], finished: Mapping[tuple[str, int], Task]) -> int:
    """Open pull requests of tasks of ours. They are in the issue lists, so this costs nothing."""
    pulls: dict[str, set[int]] = defaultdict(set)
    for issue in issues:
        if issue.is_pull:
            pulls[issue.key[0]].add(issue.number)
    found = 0
    for (repo, _), task in finished.items():
        number = task.pull.rpartition("/")[2]
        found += number.isdigit() and int(number) in pulls[repo]
    return found
