"""Which pull requests are open: of a branch, and of the token's own account. One request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cw.forges.pulls import Pull
from cw.github.connection import Connection
from cw.github.errors import github_errors

_FIND = """query Opened($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) {
    branch: pullRequests(states: OPEN, headRefName: $branch, first: 20,
      orderBy: {field: CREATED_AT, direction: DESC}) { nodes { ...told } }
    newest: pullRequests(states: OPEN, first: 100,
      orderBy: {field: CREATED_AT, direction: DESC}) { nodes { ...told } }
  }
}
fragment told on PullRequest {
  number url headRefName headRefOid isDraft createdAt viewerDidAuthor isCrossRepository
  baseRefName author { login }
}"""


@github_errors("open pull requests")
def opened(
    github: Connection, repo: str, branch: str, since: datetime
) -> tuple[list[Pull], list[Pull]]:
    """Those of this repository's branch; and others that the token's account opened since then, of
    whatever branch. Newest first.
    """
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "branch": branch}
    found = github.graphql(repo, _FIND, variables)["repository"]
    # Forks use the same names of branches, and their pull requests are other people's.
    mine = [_pull(row) for row in found["branch"]["nodes"] if not row["isCrossRepository"]]
    ours = [_pull(row) for row in found["newest"]["nodes"] if _is_ours(row, since)]
    return mine, [pull for pull in ours if pull not in mine]


def _is_ours(row: Any, since: datetime) -> bool:
    return row["viewerDidAuthor"] and datetime.fromisoformat(row["createdAt"]) >= since


def _pull(row: Any) -> Pull:
    return Pull(
        row["number"],
        row["url"],
        row["headRefOid"],
        open=True,
        draft=bool(row["isDraft"]),
        merged=False,
        branch="" if row["isCrossRepository"] else str(row["headRefName"]),
        base=str(row["baseRefName"]),
        author=(row["author"] or {}).get("login", ""),
        ours=bool(row["viewerDidAuthor"]),
        at=datetime.fromisoformat(row["createdAt"]),
    )
