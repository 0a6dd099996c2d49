"""Making a pull request a draft, which only GraphQL can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cw.github.errors import github_errors

if TYPE_CHECKING:
    from cw.github.client import GitHub

_FIND = """query Pull($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) { id state isDraft }
  }
}"""
_CONVERT = """mutation Draft($id: ID!) {
  convertPullRequestToDraft(input: {pullRequestId: $id}) { clientMutationId }
}"""


@github_errors("this pull request")
def to_draft(github: GitHub, repo: str, number: int) -> None:
    """One that is closed, merged or a draft already stays as it is."""
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    found = github.graphql(repo, _FIND, variables)["repository"]["pullRequest"]
    if found["state"] == "OPEN" and not found["isDraft"]:
        github.graphql(repo, _CONVERT, {"id": found["id"]})
