"""What GitHub has of one branch: where it stands, and its pull requests. One request."""

from __future__ import annotations

from typing import Any

from cw.forges.pulls import Pull
from cw.github.connection import Connection
from cw.github.errors import github_errors

_ASK = """query Standing($owner: String!, $name: String!, $branch: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) { target { oid } }
    pullRequests(headRefName: $branch, first: 20,
      orderBy: {field: CREATED_AT, direction: DESC}) { nodes {
        number url state headRefOid baseRefName isDraft merged viewerDidAuthor isCrossRepository
        author { login } } }
  }
}"""


def standing(github: Connection, repo: str, branch: str) -> tuple[str, tuple[Pull, ...]]:
    """The branch's head, empty when there is none; and its pull requests, newest first."""
    owner, _, name = repo.partition("/")
    asked = {"owner": owner, "name": name, "branch": branch, "ref": f"refs/heads/{branch}"}
    with github_errors(f"branch {branch} of {repo}"):
        found = github.graphql(repo, _ASK, asked)["repository"]
        nodes = found["pullRequests"]["nodes"]
        # Forks use the same names of branches, and their pull requests are other people's.
        pulls = (_pull(row, branch) for row in nodes if not row["isCrossRepository"])
        return found["ref"]["target"]["oid"] if found["ref"] else "", tuple(pulls)


def _pull(row: Any, branch: str) -> Pull:
    return Pull(
        row["number"],
        row["url"],
        row["headRefOid"],
        open=row["state"] == "OPEN",
        draft=bool(row["isDraft"]),
        merged=bool(row["merged"]),
        branch=branch,
        base=row["baseRefName"],
        author=(row["author"] or {}).get("login", ""),
        ours=bool(row["viewerDidAuthor"]),
    )
