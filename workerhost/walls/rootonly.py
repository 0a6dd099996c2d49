"""/etc without what root keeps for itself, for agents of a host that is root: behind the wall they
have its number, and the kernel would let them read it.

They get a copy of what is for all. Mounts over the rest would be gone as soon as somebody replaces
such a file, as `passwd` does; and a mount for each file that is for all takes ten times as long.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cw.errors import CwError

ETC = "/etc"
_LISTED = 0o005  # a folder of which everybody sees what is in it
_READ = 0o004
_FRESH_SECONDS = 5.0  # a copy may be older than the folder by so much
_KEPT_SECONDS = 7 * 86400.0  # unused; runs outlive the host that made it


def for_all(folder: str, kept: Path) -> list[str]:
    """bubblewrap's options. `kept`: where the copies lie. Raises CwError when there is none."""
    try:
        return ["--ro-bind", str(_current(folder, kept)), folder]
    except OSError as error:
        raise CwError(f"no copy of {folder} for agents: {error}") from error


def _current(folder: str, kept: Path) -> Path:
    copy = kept / _mark(folder, int(time.monotonic() // _FRESH_SECONDS))
    if not copy.is_dir():
        _make(Path(folder), copy)
    os.utime(copy)
    return copy


@lru_cache(maxsize=4)
def _mark(folder: str, _moment: int) -> str:
    """Changes with whatever is for all in the folder."""
    lines = []
    for path in _public(Path(folder)):
        seen = path.lstat()
        lines.append(f"{path}\0{seen.st_mode}\0{seen.st_size}\0{seen.st_mtime_ns}\0{seen.st_ino}")
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()[:32]


def _public(folder: Path) -> Iterator[Path]:
    """Files, links and folders, each after the folder it is in."""
    with suppress(OSError):  # it went away meanwhile, say
        for path in sorted(folder.iterdir()):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode) or (stat.S_ISREG(mode) and mode & _READ):
                yield path
            elif stat.S_ISDIR(mode) and mode & _LISTED == _LISTED:
                yield path
                yield from _public(path)


def _make(folder: Path, copy: Path) -> None:
    """Whole, or not there. Another process may be quicker."""
    kept = copy.parent
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    _forget_old(kept)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=kept))
    try:
        new.chmod(0o755)
        for path in _public(folder):
            with suppress(FileNotFoundError):
                _copy(path, new / path.relative_to(folder))
        new.rename(copy)
    except OSError:
        if not copy.is_dir():
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _copy(path: Path, where: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        where.mkdir(mode=0o755)
    elif path.is_symlink() or path.lstat().st_mode & _READ:  # looked at again: it may be another
        shutil.copy2(path, where, follow_symlinks=False)


def _forget_old(kept: Path) -> None:
    for one in kept.iterdir():
        if time.time() - one.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(one, ignore_errors=True)
