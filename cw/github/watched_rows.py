"""What GitHub's GraphQL says of a pull request, as `cw.forges.watched` has it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cw.forges.trusted_authors import is_bot
from cw.forges.watched import Check, CheckState, Glance, Look, Mergeable, OpenThread, Said, Unread
from cw.github.thread import editor_of, login_of

# GitHub's enum CheckConclusionState; what it may say beside these says nothing.
_CONCLUSIONS = {
    "SUCCESS": CheckState.GREEN,
    "FAILURE": CheckState.RED,
    "TIMED_OUT": CheckState.RED,
    "STARTUP_FAILURE": CheckState.RED,
    "ACTION_REQUIRED": CheckState.ASKS,
}
_STATUSES = {  # its enum StatusState
    "SUCCESS": CheckState.GREEN,
    "FAILURE": CheckState.RED,
    "ERROR": CheckState.RED,
    "PENDING": CheckState.PENDING,
    "EXPECTED": CheckState.PENDING,
}
_MERGEABLE = {"MERGEABLE": Mergeable.YES, "CONFLICTING": Mergeable.NO}


def nodes(connection: Any) -> list[Any]:
    """GitHub's schema lets each connection be null, and each of its nodes: what one may not see."""
    found = (connection or {}).get("nodes") or ()
    return [row for row in found if row is not None]


def read_glance(repo: Any, row: Any, mark: str) -> Glance:
    return Glance(
        repo=str(repo["nameWithOwner"]),
        repo_id=int(repo["databaseId"]),
        open=row["state"] == "OPEN",
        merged=bool(row["merged"]),
        head=str(row["headRefOid"]),
        mergeable=_MERGEABLE.get(row["mergeable"], Mergeable.UNKNOWN),
        mark=mark,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Checks of the head and of the base, as GraphQL has them, wherever they were read."""

    head: Iterable[Any] = ()
    base: Iterable[Any] = ()
    unread: Unread | None = None


def read_rows(row: Any) -> Rows:
    """Of a look that has them all."""
    commits = nodes(row["commits"])
    base = (row["baseRef"] or {}).get("target") or {}
    return Rows(head=_contexts(commits[-1]["commit"]) if commits else (), base=_contexts(base))


def read_look(repo: Any, row: Any, mark: str, checks: Rows) -> Look:
    reviews = {
        login: review
        for review in nodes(row["latestOpinionatedReviews"])
        if (login := login_of(review["author"])) and not is_bot(login)
    }
    said = {login: review["state"] for login, review in reviews.items()}
    changes = {
        login: str(reviews[login]["id"])
        for login, state in said.items()
        if state == "CHANGES_REQUESTED"
    }
    decision = row["reviewDecision"]  # null where the repository requires no review
    approved = not decision and not changes and "APPROVED" in said.values()
    return Look(
        glance=read_glance(repo, row, mark),
        title=str(row["title"]),
        author=login_of(row["author"]),
        base=str(row["baseRefName"]),
        branch=str(row["headRefName"]),
        draft=bool(row["isDraft"]),
        added=int(row["additions"]),
        removed=int(row["deletions"]),
        files=int(row["changedFiles"]),
        paths=tuple(str(file["path"]) for file in nodes(row["files"])),
        labels=tuple(str(label["name"]) for label in nodes(row["labels"])),
        assignees=tuple(str(user["login"]) for user in nodes(row["assignees"])),
        checks=tuple(map(_check, checks.head)),
        unread=checks.unread,
        red_on_base=frozenset(name_of_check(one) for one in checks.base if is_red(one)),
        wants_review=decision == "REVIEW_REQUIRED",
        approved=decision == "APPROVED" or approved,
        changes=changes,
        threads=tuple(
            _thread(thread) for thread in nodes(row["reviewThreads"]) if is_open_thread(thread)
        ),
        comments=tuple(read_said(comment) for comment in nodes(row["comments"])),
        comment_count=int(row["comments"]["totalCount"]),
    )


def _contexts(commit: Any) -> list[Any]:
    rollup = commit.get("statusCheckRollup") or {"contexts": None}
    return nodes(rollup["contexts"])


def _check(row: Any) -> Check:
    since = row["createdAt"] if is_status(row) else row["startedAt"]
    return Check(
        name=name_of_check(row),
        state=state_of_check(row),
        required=bool(row["isRequired"]),
        since=datetime.fromisoformat(since) if since else None,
    )


def is_status(row: Any) -> bool:
    """The older kind."""
    return bool(row["__typename"] == "StatusContext")


def name_of_check(row: Any) -> str:
    if is_status(row):
        return str(row["context"])
    run = (row["checkSuite"] or {}).get("workflowRun")
    return f"{run['workflow']['name']} / {row['name']}" if run else str(row["name"])


def state_of_check(row: Any) -> CheckState:
    if is_status(row):
        return _STATUSES.get(row["state"], CheckState.NEUTRAL)
    if row["status"] != "COMPLETED":
        return CheckState.PENDING
    return _CONCLUSIONS.get(row["conclusion"], CheckState.NEUTRAL)


def is_red(row: Any) -> bool:
    return state_of_check(row) is CheckState.RED


def is_open_thread(row: Any) -> bool:
    """Whether it wants something, and anything of it can be read."""
    return not row["isResolved"] and not row["isOutdated"] and bool(nodes(row["comments"]))


def _thread(row: Any) -> OpenThread:
    comments = tuple(read_said(comment) for comment in nodes(row["comments"]))
    unread = int(row["comments"]["totalCount"]) - len(comments)
    return OpenThread(id=str(row["id"]), comments=comments, unread=unread)


def read_said(row: Any) -> Said:
    return Said(
        id=str(row["id"]),
        author=login_of(row["author"]),
        association=str(row["authorAssociation"]),
        body=str(row["body"]),
        editor=editor_of(row),
        minimized=bool(row["isMinimized"]),
        at=datetime.fromisoformat(row["createdAt"]),
        ours=bool(row["viewerDidAuthor"]),
    )
