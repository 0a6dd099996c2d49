"""What reviewers want of a pull request, wholly. Two points of GraphQL's 5,000 an hour; valid by
GitHub's published schema (@octokit/graphql-schema 15.26.1).
"""

from __future__ import annotations

from typing import Any

from cw.forges.repairing import HUNK_CHARS, Reviewed, ReviewThread
from cw.github.connection import Connection
from cw.github.errors import github_errors
from cw.github.watched import SAID
from cw.github.watched_rows import is_open_thread, nodes, read_said

_QUERY = f"""query Reviewed($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{ pullRequest(number: $number) {{
    headRefOid
    latestOpinionatedReviews(first: 50, writersOnly: true) {{ nodes {{ state {SAID} }} }}
    reviewThreads(last: 100) {{ totalCount nodes {{ id isResolved isOutdated path line
      begin: comments(first: 1) {{ nodes {{ diffHunk {SAID} }} }}
      comments(last: 50) {{ totalCount nodes {{ {SAID} }} }} }} }}
  }} }}
}}"""


def reviewed(github: Connection, repo: str, number: int) -> Reviewed:
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    with github_errors(f"reviews of {repo}#{number}"):
        found = github.graphql(repo, _QUERY, variables)["repository"]["pullRequest"]
        rows = nodes(found["reviewThreads"])
        return Reviewed(
            head=str(found["headRefOid"]),
            threads=tuple(_thread(row) for row in rows if is_open_thread(row)),
            more_threads=int(found["reviewThreads"]["totalCount"]) - len(rows),
            changes=tuple(
                read_said(review)
                for review in nodes(found["latestOpinionatedReviews"])
                if review["state"] == "CHANGES_REQUESTED"
            ),
        )


def _thread(row: Any) -> ReviewThread:
    begin = nodes(row["begin"])
    both = {said.id: said for said in map(read_said, [*begin, *nodes(row["comments"])])}
    return ReviewThread(
        id=str(row["id"]),
        comments=tuple(both.values()),
        unread=int(row["comments"]["totalCount"]) - len(both),
        path=str(row["path"]),
        line=int(row["line"] or 0),
        hunk=_end(str(begin[0]["diffHunk"])) if begin else "",
    )


def _end(hunk: str) -> str:
    """Whole lines: its last is the one that is talked about."""
    return hunk if len(hunk) <= HUNK_CHARS else hunk[-HUNK_CHARS:].partition("\n")[2]
