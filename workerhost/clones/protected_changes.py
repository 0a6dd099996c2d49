"""Paths whose change a person has to look at: they decide what runs and what agents are told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

from cw.errors import CwError
from workerhost.clones.protected_paths import ALWAYS
from workerhost.clones.quarantine import Quarantine

UNKNOWN = "what git here cannot compare"
_MOST = 20
_LONGEST = 200


def protected(paths: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that ALWAYS and `patterns` name, as .gitignore would; the last one that fits
    decides. Case makes no difference, as on the disks of some who will check this out.
    """
    spec = GitIgnoreSpec.from_lines(pattern.lower() for pattern in (*ALWAYS, *patterns))
    return tuple(path for path in paths if spec.match_file(PurePosixPath(path.lower())))


def touched(box: Quarantine, head: str) -> tuple[str, ...]:
    """Protected paths that differ between the base and `head`, capped. What cannot be compared
    counts as protected.
    """
    try:
        paths = _changed(box, head)
    except CwError:
        return (UNKNOWN,)
    found = protected(paths, box.git.settings.protected_paths)
    return tuple(path[:_LONGEST] for path in found[:_MOST])


def _changed(box: Quarantine, head: str) -> list[str]:
    box.obtained(head)
    plain = ("diff", "--name-only", "--no-renames", "-z")
    names = box.need(*plain, f"{box.place.base_sha}...{head}", "--")
    return [name for name in names.split("\0") if name]
