"""What a person is shown of a pull request to judge it, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from cw.models import Model
from cw.operations.views.pulls import PullRow

if TYPE_CHECKING:
    from cw.forges.reviewing import Diff
    from cw.models import Task
    from cw.pulls.record import PullRecord

_REPORT = 20_000  # characters


class Act(StrEnum):
    APPROVE = "approve"
    MERGE = "merge"
    CHANGES = "changes"
    CLOSE = "close"
    SKIP = "skip"  # nothing was done


class Sheet(Model):
    """All that is read before something is done with one. Text of agents is as they wrote it."""

    pull: PullRow
    head: str  # that all of this is of, the diff too
    method: str  # of a merge: squash, merge, rebase
    issue_title: str
    issue_url: str  # empty: it has no issue
    report: str  # the agent's last words
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


def sheet(record: PullRecord, pull: PullRow, task: Task | None, diff: Diff, method: str) -> Sheet:
    """`task`: that made it, if it is still known."""
    outcome = task.outcome if task else None
    return Sheet(
        pull=pull,
        head=record.head,
        method=method,
        issue_title=task.spec.title if task else "",
        issue_url=_issue_url(record),
        report=outcome.report[:_REPORT] if outcome else "",
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
