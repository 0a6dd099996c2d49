"""Answers in threads of a review, which only GraphQL knows, and the end of such a thread."""

from __future__ import annotations

from cw.errors import GoneError
from cw.github.connection import Connection
from cw.github.errors import github_errors
from cw.github.watched_rows import nodes

_FIND = """query Thread($id: ID!) { node(id: $id) { ... on PullRequestReviewThread {
  comments(last: 100) { nodes { body viewerDidAuthor } }
} } }"""
_REPLY = """mutation Reply($id: ID!, $body: String!) {
  addPullRequestReviewThreadReply(input: {pullRequestReviewThreadId: $id, body: $body}) {
    comment { id }
  }
}"""
_RESOLVE = """mutation Resolve($id: ID!) {
  resolveReviewThread(input: {threadId: $id}) { thread { isResolved } }
}"""


def reply(github: Connection, repo: str, number: int, thread_id: str, body: str, mark: str) -> None:
    """Whoever can read a mark can write it: only those of the account that would answer count."""
    what, hidden = f"thread of the review of {repo}#{number}", f"<!-- {mark} -->"
    with github_errors(what):
        found = github.graphql(repo, _FIND, {"id": thread_id}, partly=True)["node"]
        if not found:
            raise GoneError(f"GitHub knows no such {what}")
        rows = nodes(found["comments"])
        if any(row["viewerDidAuthor"] and hidden in row["body"] for row in rows):
            return
        text = {"id": thread_id, "body": f"{body}\n\n{hidden}"}
        # An answer that names no comment is no proof of one.
        _ = github.graphql_once(repo, _REPLY, text)["addPullRequestReviewThreadReply"]["comment"][
            "id"
        ]


@github_errors("this thread of a review")
def resolve(github: Connection, repo: str, thread_id: str) -> None:
    github.graphql(repo, _RESOLVE, {"id": thread_id})
