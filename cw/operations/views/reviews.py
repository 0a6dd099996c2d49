"""What a person is shown of a pull request to judge it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cw.models import Model
from cw.operations.views.pulls import PullRow
from cw.states import OutcomeKind, State

if TYPE_CHECKING:
    from cw.forges.reviewing import Diff
    from cw.models import Task
    from cw.pulls.record import PullRecord

_REPORT = 20_000  # characters
_STATES = {State.QUEUED: "waits", State.HELD: "waits", State.RUNNING: "reads"}


class Act(StrEnum):
    APPROVE = "approve"
    MERGE = "merge"
    CHANGES = "changes"
    CLOSE = "close"
    SKIP = "skip"  # nothing was done


class OpinionRow(Model):
    """What a worker thinks of one that it was asked to read."""

    repo: str
    number: int
    head: str  # that it was asked of
    task: str
    worker: str  # empty: none has it yet
    state: str  # waits, reads, done, failed
    text: str  # empty: it has not said anything

    @property
    def name(self) -> str:
        return f"{self.repo}#{self.number}"


class Sheet(Model):
    """All that is read before something is done with one. Text of agents is as they wrote it."""

    pull: PullRow
    head: str  # that all of this is of, the diff too
    method: str  # of a merge: squash, merge, rebase
    issue_title: str
    issue_url: str  # empty: it has no issue
    report: str  # the agent's last words
    opinion: OpinionRow | None  # of a worker; None: nobody has asked for one
    diff: str
    cut: bool  # whether the diff is longer; with none at all: it is too large to be shown


class ReviewRow(Model):
    """What became of one."""

    repo: str
    repo_id: int
    number: int
    url: str
    issue: int | None
    title: str
    head: str  # that was read
    act: Act
    result: str  # done, left
    how: str = ""  # of a merge: its method; of changes: review, thread
    commit: str = ""  # a merge became it; empty: GitHub did not say
    why: str = ""  # it was left
    next: str = ""  # what to type next

    @property
    def name(self) -> str:
        return f"{self.repo}#{self.number}"

    @property
    def done(self) -> bool:
        return self.result == "done"

    def left(self, why: str) -> ReviewRow:
        again = f"cw review {self.name}"
        return self.model_copy(update={"result": "left", "why": why, "next": again})


@dataclass(frozen=True, kw_only=True, slots=True)
class Tasks:
    """Of a pull request, as far as they are still known: that made it, and that was to read it."""

    made: Task | None
    reads: Task | None


def opinion(record: PullRecord, reads: Task | None) -> OpinionRow | None:
    if record.asked is None or reads is None:
        return None
    done = reads.outcome if reads.state is State.DONE else None
    good = bool(done and done.kind is OutcomeKind.SUCCEEDED)
    return OpinionRow(
        repo=record.repo,
        number=record.number,
        head=record.asked.head,
        task=reads.spec.id,
        worker=reads.worker or reads.spec.wanted_worker or "",
        state="done" if good else _STATES.get(reads.state, "failed"),
        text=done.report[:_REPORT] if done and good else "",
    )


def sheet(record: PullRecord, pull: PullRow, tasks: Tasks, diff: Diff, method: str) -> Sheet:
    task = tasks.made
    outcome = task.outcome if task else None
    return Sheet(
        pull=pull,
        head=record.head,
        method=method,
        issue_title=task.spec.title if task else "",
        issue_url=_issue_url(record),
        report=outcome.report[:_REPORT] if outcome else "",
        opinion=opinion(record, tasks.reads),
        diff=diff.text,
        cut=diff.cut,
    )


def review_row(record: PullRecord, act: Act) -> ReviewRow:
    """That it is done, until somebody says otherwise."""
    return ReviewRow(
        repo=record.repo,
        repo_id=record.repo_id,
        number=record.number,
        url=record.url,
        issue=record.issue,
        title=record.title,
        head=record.head,
        act=act,
        result="done",
        next=f"cw merge {record.name}" if act is Act.APPROVE else "",
    )


def _issue_url(record: PullRecord) -> str:
    place, _, _ = record.url.rpartition("/pull/")
    return f"{place}/issues/{record.issue}" if place and record.issue else ""
