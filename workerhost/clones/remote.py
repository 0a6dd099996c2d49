"""A repository at its remote: what it has, in git's words and in ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cw.errors import UnavailableError, WorkspaceError
from cw.homes.files import write_private
from cw.homes.layout import Home
from workerhost.clones.done import Done
from workerhost.clones.git import Bounds, Git
from workerhost.clones.git_errors import failure
from workerhost.clones.host_repositories import scratch

MANY = Bounds(text=24 << 20, entries=250_000)  # refs
_DEFAULT = re.compile(r"^ref: refs/heads/(\S+)\tHEAD$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """`default`: the name of its default branch; `refs`: its branches and tags, ref to sha."""

    default: str
    refs: dict[str, str]


def find(git: Git, url: str) -> Found:
    """What a repository has. Raises UnavailableError for what may pass by itself, else
    WorkspaceError.
    """
    asked = _ask(git, "--symref", url, "HEAD", "refs/heads/*", "refs/tags/*")
    need(asked)
    default, refs = _DEFAULT.search(asked.out), listed(asked.out)
    if not refs:
        raise WorkspaceError("the repository is empty: it has no branch yet")
    if not default or f"refs/heads/{default[1]}" not in refs:
        raise WorkspaceError("the repository's HEAD is on no branch with commits")
    return Found(default[1], refs)


def heads_and_tags(git: Git, url: str) -> dict[str, str] | None:
    """The same; None when it cannot be asked. Raises CwError when there is no login."""
    asked = _ask(git, "--heads", "--tags", url)
    return listed(asked.out) if asked.ok else None


def _ask(git: Git, *args: str) -> Done:
    with scratch(git.settings, git.home, "ask") as folder:
        return git.remote("ls-remote", *args, at=folder, bounds=MANY)


def remember(home: Home, refs: Mapping[str, str]) -> None:
    """What the remote has before the agent starts, for the comparison after it."""
    write_private(home.refs, json.dumps(refs).encode())


def listed(text: str) -> dict[str, str]:
    """Branches and tags of `ls-remote`'s lines; not what a tag leads to."""
    lines = (line.split("\t") for line in text.splitlines() if "\trefs/" in line)
    found = {ref: sha for sha, ref in lines if ref.startswith(("refs/heads/", "refs/tags/"))}
    return {ref: sha for ref, sha in found.items() if not ref.endswith("^{}")}


class UnclearError(UnavailableError):
    """git failed of something that has no name: it may pass, or lie in what is here."""


def need(done: Done) -> None:
    """Raises UnavailableError for what may pass by itself, else WorkspaceError."""
    if done.ok:
        return
    found = failure(done)
    told = f"the repository cannot be fetched: {found.message}"
    if found.kind == "unknown":
        raise UnclearError(told)
    if found.passing:
        raise UnavailableError(told, hint=found.hint)
    raise WorkspaceError(told, hint=found.hint)
