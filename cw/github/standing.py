"""What GitHub has of one branch: where it stands, and its pull requests. One request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cw.github.client import Pull
from cw.github.errors import github_errors

if TYPE_CHECKING:
    from cw.github.client import GitHub

_ASK = """query Standing($owner: String!, $name: String!, $branch: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) { target { oid } }
    pullRequests(headRefName: $branch, first: 20,
      orderBy: {field: CREATED_AT, direction: DESC}) { nodes {
        number url state headRefOid baseRefName isDraft merged viewerDidAuthor isCrossRepository
        author { login } } }
  }
}"""


def standing(github: GitHub, repo: str, branch: str) -> tuple[str, tuple[Pull, ...]]:
    """The branch's head, empty when there is none; and its pull requests, newest first."""
    owner, _, name = repo.partition("/")
    asked = {"owner": owner, "name": name, "branch": branch, "ref": f"refs/heads/{branch}"}
    with github_errors(f"branch {branch} of {repo}"):
        found = github.graphql(repo, _ASK, asked)["repository"]
        nodes = found["pullRequests"]["nodes"]
        # Forks use the same names of branches, and their pull requests are other people's.
        pulls = (_pull(one, branch) for one in nodes if not one["isCrossRepository"])
        return found["ref"]["target"]["oid"] if found["ref"] else "", tuple(pulls)


def _pull(one: Any, branch: str) -> Pull:
    return Pull(
        one["number"],
        one["url"],
        one["headRefOid"],
        open=one["state"] == "OPEN",
        draft=bool(one["isDraft"]),
        merged=bool(one["merged"]),
        branch=branch,
        base=one["baseRefName"],
        author=(one["author"] or {}).get("login", ""),
        ours=bool(one["viewerDidAuthor"]),
    )
