"""A look at a clone's `.git` before any git runs on it: whether it is made of what git expects."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from cw.errors import TooLargeError, WorkspaceError
from cw.homes.layout import Home, in_place

_MOST = 500_000  # entries: each loose object is one
_SECONDS = 10.0
_INDEX_BYTES = 256 << 20
_FILE_BYTES = 64 << 20  # of any other file but objects
# In which git reads. Hooks, Git LFS, an annex and other tools keep there what they like beside it.
_READ = ("refs", "objects", "logs", "rebase-merge", "rebase-apply", "sequencer", "worktrees")
_OF_INFO = ("attributes", "exclude", "grafts", "refs", "sparse-checkout")
_ELSEWHERE = ("commondir", "gitdir", "objects/info/alternates", "objects/info/http-alternates")


class NotJudgedError(WorkspaceError):
    """git is not asked about a clone that is none."""


def look(home: Home, top: Path) -> list[Path]:
    """The lock files in `top`, a clone's `.git`. Follows no link, opens nothing. Raises
    NotJudgedError for what git could wait for or be led away by, TooLargeError for more than it can
    be asked to read.
    """
    if not in_place(home, top) or not top.is_dir():
        raise NotJudgedError(f"{top} is no folder of this HOME")
    for name in _ELSEWHERE:
        if os.path.lexists(top / name) and not _empty(top / name):
            raise NotJudgedError(f"{top / name} would lead git elsewhere")
    locks = []
    deadline = time.monotonic() + _SECONDS
    try:
        for number, entry in enumerate(_entries(top)):
            if number > _MOST or time.monotonic() > deadline:
                raise TooLargeError(f"{top} has too many files")
            if _regular(entry) and entry.name.endswith(".lock"):
                locks.append(Path(entry.path))
    except OSError as error:
        raise NotJudgedError(f"{error.filename or top} cannot be read: {error.strerror}") from error
    return locks


def _empty(path: Path) -> bool:
    """It leads nowhere. claude 2.1.330 leaves one where its sandbox kept an agent from writing."""
    seen = path.lstat()
    return stat.S_ISREG(seen.st_mode) and not seen.st_size


def _entries(top: Path) -> Iterator[os.DirEntry[str]]:
    """Those that git reads, but no folders."""
    for entry in os.scandir(top):
        if entry.is_dir(follow_symlinks=False):
            if entry.name in _READ:
                yield from _below(entry.path)
            elif entry.name == "info":
                yield from (inner for inner in os.scandir(entry.path) if inner.name in _OF_INFO)
        elif not (entry.name.endswith(".ipc") and stat.S_ISSOCK(_mode(entry))):
            yield entry


def _below(folder: str) -> Iterator[os.DirEntry[str]]:
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry


def _regular(entry: os.DirEntry[str]) -> bool:
    """True; raises for anything else."""
    seen = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(seen.st_mode):
        raise NotJudgedError(f"{entry.path} is no file")
    most = _INDEX_BYTES if entry.name == "index" else _FILE_BYTES
    if seen.st_size > most and f"{os.sep}objects{os.sep}" not in entry.path:
        raise TooLargeError(f"{entry.path} has more than {most >> 20} MB")
    return True


def _mode(entry: os.DirEntry[str]) -> int:
    return entry.stat(follow_symlinks=False).st_mode
