"""A repository as GitHub has it: what it is called now, and what a token may do there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cw.errors import GitHubRefusedError
from cw.forges.repositories import Repository
from cw.github.connection import Connection
from cw.github.errors import github_errors, raise_for
from cw.github.expected import Expected
from cw.github.refusals import Part

_REFUSED = frozenset({403, 404})
_ROLES = ("admin", "maintain", "push", "triage", "pull")
# Requests that want a permission and can have no effect: they lack what has to be in them, which
# GitHub looks at after the permission and answers with 422.
_PROBES = {
    "contents: write": "/git/refs",
    "issues: write": "/labels",
    "pull requests: write": "/pulls",
}


def read_repository(github: Connection, repo: str) -> Repository:
    """Follows renames and transfers. Raises GitHubRefusedError when the token cannot see it."""
    what = f"repository {repo}"
    with github_errors(what):
        found = github.ask(what, repo, "GET", f"/repos/{repo}")
        return _repository(github, found.data, found.headers)


def missing(github: Connection, found: Repository) -> tuple[str, ...]:
    """What the token lacks there, as far as GitHub lets one know. Of a classic token its scopes
    tell; an App's were looked at when it was given; of others each is tried, without effect.
    """
    if github.is_app:
        return ()
    if found.scopes is not None:
        enough = {"repo"} if found.private else {"repo", "public_repo"}
        return () if found.scopes & enough else ("scope repo",)
    return tuple(
        right for right, path in _PROBES.items() if not _may(github, found.name, right, path)
    )


def unread(github: Connection, found: Repository) -> tuple[str, ...]:
    """A classic token may read what its user may, and so may everybody what is public."""
    if not found.private or found.scopes is not None or not found.branch:
        return ()
    paths = {
        Part.ACTIONS: "/actions/runs?per_page=1",
        Part.STATUSES: f"/commits/{quote(found.branch, safe='')}/status?per_page=1",
    }
    any_answer = Expected(object, taken=_REFUSED)
    return tuple(
        part.value
        for part, path in paths.items()
        if github.ask(
            part.value, found.name, "GET", f"/repos/{found.name}{path}", expected=any_answer
        ).status
        in _REFUSED
    )


def _may(github: Connection, repo: str, what: str, path: str) -> bool:
    any_answer = Expected(object, taken={*_REFUSED, 409, 422})
    said = github.ask(what, repo, "POST", f"/repos/{repo}{path}", {}, any_answer)
    if said.status in _REFUSED and said.headers.get("x-github-sso"):
        raise_for(said.status, said.data, said.headers)
    return said.status not in _REFUSED


def _repository(github: Connection, row: Any, headers: Mapping[str, str]) -> Repository:
    name = str(row["full_name"])
    rights = row.get("permissions") or {}
    scopes = headers.get("x-oauth-scopes")
    # GitHub tells Apps nothing of a user's rights; what they have was looked at with their token.
    push = True if github.is_app else bool(rights.get("push", False))
    return Repository(
        id=int(row["id"]),
        name=name,
        private=bool(row.get("private")),
        archived=bool(row.get("archived")),
        disabled=bool(row.get("disabled")),
        issues=bool(row.get("has_issues", True)),
        branch=_branch(github, name, row),
        push=push,
        role=next((role for role in _ROLES if rights.get(role)), ""),
        scopes=None if scopes is None else frozenset(scopes.replace(",", " ").split()),
    )


def _branch(github: Connection, name: str, row: Mapping[str, Any]) -> str:
    """GitHub names the default branch of an empty repository as well. Small ones count as 0 kB for
    a while: only those are asked about.
    """
    branch = str(row.get("default_branch") or "")
    if not branch or row.get("size"):
        return branch
    path = f"/repos/{name}/branches/{quote(branch, safe='')}"
    try:
        github.ask(f"branch {branch}", name, "GET", path)
    except GitHubRefusedError:
        return ""
    return branch
