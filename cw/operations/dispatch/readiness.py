"""Whether work on a repository could be delivered: asked before any is paid for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cw.errors import BadInputError
from cw.forges.repositories import Repository
from cw.names import same_repo

if TYPE_CHECKING:
    from cw.forges.client import Repositories
    from cw.store.github_cache import GitHubCache

_LIFE = timedelta(days=1)
_DRAFTS_LIFE = timedelta(days=30)
_ROLES = {"triage": "may only triage", "pull": "may only read", "": "may do nothing"}


def ready(github: Repositories, facts: GitHubCache, repo: str, *, issues: bool) -> Repository:
    """The repository, if all that a task needs may be done there. `issues`: whether it is about
    one.

    Raises BadInputError with what is in the way and what to do, GitHubUnavailableError.
    """
    found = github.repository(repo)
    refuse(found, issues=issues)
    known = f"may:{github.token_mark}:{found.id}"
    if facts.fact(known) is None:
        lacks = github.missing(found)
        if lacks:
            raise BadInputError(
                f"the GitHub token lacks {', '.join(lacks)} on {found.name}",
                hint="It needs contents, issues and pull requests: write",
            )
        facts.keep_fact(known, "yes", _LIFE)
    return found


def refuse(found: Repository, *, issues: bool) -> None:
    """What the repository itself says. Raises BadInputError. Pure."""
    name = found.name
    if found.archived:
        raise BadInputError(
            f"{name} is archived, and so read-only", hint="Unarchive it in its settings on GitHub"
        )
    if found.disabled:
        raise BadInputError(f"GitHub has disabled {name}", hint="Its page on GitHub says why")
    if not found.push:
        raise BadInputError(
            f"the GitHub token may not push to {name}: its account"
            f" {_ROLES.get(found.role, 'may not write')} there",
            hint="Give it contents, issues and pull requests: write",
        )
    if not found.branch:
        raise BadInputError(
            f"{name} is empty: there is no default branch to start from",
            hint="Push a first commit to it",
        )
    if issues and not found.issues:
        raise BadInputError(
            f"issues are turned off for {name}",
            hint="Turn them on in its settings, or say what to do with -p TEXT alone",
        )


def notes(facts: GitHubCache, found: Repository, typed: str) -> tuple[str, ...]:
    """What a person may want to know beside. `typed`: what the repository was called."""
    said = []
    if not same_repo(found.name, typed):
        said.append(f"{typed} is called {found.name} now")
    if facts.fact(_no_drafts(found.id)) is not None:
        said.append(
            f"GitHub's plan of {found.name} has no drafts: a pull request that changes protected"
            " paths gets a comment and is open for review"
        )
    return tuple(said)


def remember_no_drafts(facts: GitHubCache, repo_id: int) -> None:
    """GitHub tells it only to who tries."""
    facts.keep_fact(_no_drafts(repo_id), "none", _DRAFTS_LIFE)


def _no_drafts(repo_id: int) -> str:
    return f"drafts:{repo_id}"
