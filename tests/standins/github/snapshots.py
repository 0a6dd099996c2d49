"""What a test sees of the stand-in's memory: copies that never change."""

from dataclasses import dataclass
from datetime import datetime

from .model import Comment, Event, Issue, Repo
from .pull_actions import pull_of


@dataclass(frozen=True, kw_only=True)
class CommentSnapshot:
    id: int
    author: str
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class EventSnapshot:
    kind: str
    actor: str
    label: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class IssueSnapshot:
    repo: str
    number: int
    title: str
    body: str | None
    author: str
    state: str
    state_reason: str | None
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    comments: tuple[CommentSnapshot, ...]
    events: tuple[EventSnapshot, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class PullSnapshot(IssueSnapshot):
    head_repo: str
    head: str
    head_sha: str
    base: str
    draft: bool
    merged: bool
    merge_sha: str | None


def issue_snapshot(repo: Repo, issue: Issue) -> IssueSnapshot:
    return IssueSnapshot(
        repo=repo.full_name,
        number=issue.number,
        title=issue.title,
        body=issue.body,
        author=issue.author,
        state=issue.state,
        state_reason=issue.state_reason,
        labels=tuple(label.name for label in issue.labels),
        assignees=tuple(issue.assignees),
        comments=tuple(comment_snapshot(comment) for comment in issue.comments),
        events=tuple(_event(event) for event in issue.events),
        created_at=issue.created_at,
        updated_at=issue.updated_at,
    )


def comment_snapshot(comment: Comment) -> CommentSnapshot:
    return CommentSnapshot(
        id=comment.id,
        author=comment.author,
        body=comment.body,
        created_at=comment.created_at,
        updated_at=comment.updated_at,
    )


def _event(event: Event) -> EventSnapshot:
    label = event.label.name if event.label else None
    return EventSnapshot(kind=event.kind, actor=event.actor, label=label, at=event.at)


def pull_snapshot(repo: Repo, issue: Issue) -> PullSnapshot:
    pull = pull_of(issue)
    return PullSnapshot(
        **vars(issue_snapshot(repo, issue)),
        head_repo=pull.head_repo,
        head=pull.head_ref,
        head_sha=pull.head_sha,
        base=pull.base_ref,
        draft=pull.draft,
        merged=pull.merged_at is not None,
        merge_sha=pull.merge_sha,
    )
