"""Making a pull request a draft, which only GraphQL can."""

from __future__ import annotations

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


@github_errors("this pull request")
def to_draft(github: Connection, repo: str, number: int) -> bool:
    """False: GitHub's plan has none. One that is closed, merged or a draft stays as it is."""
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    found = github.graphql(repo, _FIND, variables)["repository"]["pullRequest"]
    if found["state"] != "OPEN" or found["isDraft"]:
        return True
    try:
        github.graphql(repo, _CONVERT, {"id": found["id"]})
    except GitHubRefusedError as error:
        if not says_no_drafts(error.message):
            raise
        return False
    return True
