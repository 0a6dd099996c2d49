"""Paths whose change a person has to look at: they decide what runs and what agents are told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

from cw.errors import CwError
from workerhost.clones.git import Git
from workerhost.clones.guarded import ALWAYS
from workerhost.clones.remote import borrowing, fetch
from workerhost.clones.workspace import Workspace

UNKNOWN = "what git here cannot compare"
_MOST = 20
_LONGEST = 200


def protected(paths: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that ALWAYS and `patterns` name, as .gitignore would; the last one that fits
    decides. Case makes no difference, as on the disks of some who will check this out.
    """
    spec = GitIgnoreSpec.from_lines(one.lower() for one in (*ALWAYS, *patterns))
    return tuple(one for one in paths if spec.match_file(PurePosixPath(one.lower())))


def touched(git: Git, place: Workspace, head: str) -> tuple[str, ...]:
    """Protected paths that differ between the base and `head`, capped. What cannot be compared
    counts as protected.
    """
    try:
        paths = _changed(git, place, head)
    except CwError:
        return (UNKNOWN,)
    found = protected(paths, git.settings.protected_paths)
    return tuple(one[:_LONGEST] for one in found[:_MOST])


def _changed(git: Git, place: Workspace, head: str) -> list[str]:
    """In a repository of our own."""
    plain = ("diff", "--name-only", "--no-renames", "-z")
    with borrowing(git, place.clone, "compare") as bare:
        if not git.run("cat-file", "-e", f"{head}^{{commit}}", at=bare).ok:
            fetch(git, place, bare, head)
        names = git.need(*plain, f"{place.base_sha}...{head}", "--", at=bare)
    return [one for one in names.split("\0") if one]
