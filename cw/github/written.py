"""Which of some issues the token's own account created. One request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cw.github.connection import Connection
from cw.github.errors import github_errors


def written(
    github: Connection, repo: str, numbers: Sequence[int], since: datetime
) -> tuple[str, ...]:
    """The URLs of those that are no pull requests and were created since then.

    Raises GitHubRefusedError, GitHubUnavailableError.
    """
    if not numbers:
        return ()
    owner, _, name = repo.partition("/")
    each = " ".join(
        f"i{number}: issue(number: {number}) {{ url createdAt viewerDidAuthor }}"
        for number in numbers
    )
    query = (
        "query Written($owner: String!, $name: String!) {"
        f" repository(owner: $owner, name: $name) {{ {each} }} }}"
    )
    with github_errors(f"issues of {repo}"):
        found = github.graphql(repo, query, {"owner": owner, "name": name}, partly=True)
        rows = [row for number in numbers if (row := found["repository"].get(f"i{number}"))]
        # GitHub counts in whole seconds; no agent gets that far in its first one.
        return tuple(
            str(issue["url"])
            for issue in rows
            if issue["viewerDidAuthor"] and datetime.fromisoformat(issue["createdAt"]) >= since
        )
