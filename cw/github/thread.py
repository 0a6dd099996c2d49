"""An issue as those who wrote it left it: text, who changed it last, labels, comments. One answer,
so that nothing changes between two of its parts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cw.forges.issues import Comment, Labelled, Thread
from cw.github.connection import Connection
from cw.github.errors import github_errors
from cw.github.places import bot_login

_QUERY = """query Thread($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { issue(number: $number) {
    title body state lastEditedAt
    author { __typename login } editor { __typename login }
    labels(first: 100) { nodes { name } }
    timelineItems(last: 100, itemTypes: [LABELED_EVENT, RENAMED_TITLE_EVENT]) { nodes {
      __typename
      ... on LabeledEvent { createdAt actor { __typename login } label { name } }
      ... on RenamedTitleEvent { createdAt actor { __typename login } }
    } }
    comments(last: 100) { totalCount nodes {
      body createdAt lastEditedAt isMinimized authorAssociation
      author { __typename login } editor { __typename login }
    } }
  } }
}"""


@github_errors("this issue's thread")
def read_thread(github: Connection, repo: str, number: int) -> Thread:
    """Raises GitHubUnavailableError, or GitHubRefusedError when there is no such issue."""
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    found = github.graphql(repo, _QUERY, variables)["repository"]["issue"]
    events = found["timelineItems"]["nodes"]
    renamed = [event for event in events if event["__typename"] == "RenamedTitleEvent"]
    comments = found["comments"]
    return Thread(
        title=found["title"],
        body=found["body"] or "",
        open=found["state"] == "OPEN",
        author=login_of(found["author"]),
        labels=tuple(label["name"] for label in found["labels"]["nodes"]),
        body_editor=editor_of(found),
        body_edited_at=_moment(found["lastEditedAt"]),
        title_editor=(login_of(renamed[-1]["actor"]) or _GONE) if renamed else "",
        title_edited_at=_moment(renamed[-1]["createdAt"]) if renamed else None,
        labelled=tuple(
            Labelled(
                event["label"]["name"],
                login_of(event["actor"]),
                datetime.fromisoformat(event["createdAt"]),
            )
            for event in events
            if event["__typename"] == "LabeledEvent"
        ),
        comments=tuple(map(_comment, comments["nodes"])),
        older_comments=comments["totalCount"] - len(comments["nodes"]),
    )


_GONE = "ghost"  # GitHub's own account for those that are gone; it may write nowhere


def _comment(row: dict[str, Any]) -> Comment:
    return Comment(
        author=login_of(row["author"]),
        association=row["authorAssociation"],
        body=row["body"],
        at=datetime.fromisoformat(row["createdAt"]),
        editor=editor_of(row),
        minimized=row["isMinimized"],
    )


def editor_of(row: dict[str, Any]) -> str:
    return (login_of(row["editor"]) or _GONE) if row["lastEditedAt"] else ""


def login_of(actor: dict[str, Any] | None) -> str:
    """GraphQL leaves out the `[bot]`: a bot and a person can have the same login here."""
    if actor is None:
        return ""
    kind, login = actor["__typename"], str(actor["login"])
    if kind == "Bot":
        return bot_login(login)
    return login if kind == "User" else ""


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
