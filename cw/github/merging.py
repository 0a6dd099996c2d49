"""Merging pull requests by GitHub's REST API, and what has to be known before."""

from __future__ import annotations

from typing import Any

from cw.errors import GitHubRefusedError, GitHubUnavailableError
from cw.forges.pulls import MergeMethod
from cw.github.connection import Connection
from cw.github.errors import github_errors
from cw.github.expected import Expected

_NOT_MERGEABLE = 405
_HEAD_MOVED = 409
_SHOWN = 200  # characters of GitHub's words
_ALLOWS = {
    MergeMethod.SQUASH: "allow_squash_merge",
    MergeMethod.MERGE: "allow_merge_commit",
    MergeMethod.REBASE: "allow_rebase_merge",
}


def merge_methods(github: Connection, repo: str) -> tuple[MergeMethod, ...]:
    """GitHub tells them only to those who may push: what it does not tell may be tried."""
    what = f"repository {repo}"
    with github_errors(what):
        row = github.ask(what, repo, "GET", f"/repos/{repo}").data
        return tuple(method for method, name in _ALLOWS.items() if row.get(name, True))


def merge(github: Connection, repo: str, number: int, *, head: str, method: MergeMethod) -> str:
    what, path = f"pull request {repo}#{number}", f"/repos/{repo}/pulls/{number}/merge"
    body = {"sha": head, "merge_method": method.value}
    with github_errors(what):
        expected = Expected(taken=(_NOT_MERGEABLE, _HEAD_MOVED))
        said = github.ask(what, repo, "PUT", path, body, expected)
        if said.status == _HEAD_MOVED:
            raise GitHubRefusedError("its head is another one than was looked at")
        if said.status == _NOT_MERGEABLE:
            raise _not_mergeable(said.data)
        return str(said.data["sha"])


def _not_mergeable(data: Any) -> GitHubRefusedError | GitHubUnavailableError:
    text = str(data.get("message", ""))[:_SHOWN].rstrip(".")
    # Two merges in a row: GitHub has not finished the first.
    if "base branch was modified" in text.lower():
        return GitHubUnavailableError(f"GitHub asks to merge it again later: {text}")
    return GitHubRefusedError(f"GitHub does not merge it: {text}")
