"""Making a pull request a draft, or none any more, which only GraphQL can."""

from __future__ import annotations

from typing import Any

from cw.errors import GitHubRefusedError
from cw.github.connection import Connection
from cw.github.errors import github_errors, says_no_drafts

_FIND = """query Pull($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) { id state isDraft }
  }
}"""
_CONVERT = """mutation Draft($id: ID!) {
  convertPullRequestToDraft(input: {pullRequestId: $id}) { clientMutationId }
}"""

_READY = """mutation Ready($id: ID!) {
  markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId }
}"""


@github_errors("this pull request")
def to_draft(github: Connection, repo: str, number: int) -> bool:
    """False: GitHub's plan has none. One that is closed, merged or a draft stays as it is."""
    found = _find(github, repo, number)
    if found["state"] != "OPEN" or found["isDraft"]:
        return True
    try:
        github.graphql(repo, _CONVERT, {"id": found["id"]})
    except GitHubRefusedError as error:
        if not says_no_drafts(error.message):
            raise
        return False
    return True


@github_errors("this pull request")
def mark_ready(github: Connection, repo: str, number: int) -> None:
    """One that is closed, merged or no draft stays as it is."""
    found = _find(github, repo, number)
    if found["state"] == "OPEN" and found["isDraft"]:
        github.graphql(repo, _READY, {"id": found["id"]})


def _find(github: Connection, repo: str, number: int) -> Any:
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    return github.graphql(repo, _FIND, variables)["repository"]["pullRequest"]
