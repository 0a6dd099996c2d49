"""Whose the files in a HOME are. A host that is root's runs its agents as another user, and what it
makes for them has to be theirs. For every other host nothing here does anything.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cw.errors import CwError
from cw.homes.layout import HAND_MADE, Home, in_place


def inherit(path: Path) -> None:
    """What we have just made belongs to whoever has the folder it lies in. No link is followed."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def make_folders(path: Path) -> None:
    """A private folder with all above it, each as `inherit` has it."""
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in reversed(missing):
        inherit(folder)


def give_tree(top: Path) -> None:
    """All that is root's in a tree, to whoever has the folder in which the tree lies."""
    if os.geteuid() == 0:
        folder = top.parent.stat()
        _give_all(top, folder.st_uid, folder.st_gid)


def take_over(home: Path, uid: int, gid: int) -> None:
    """A HOME that root made, or that an earlier version ran agents in as root. Raises CwError for
    one that is somebody else's.
    """
    owner = home.lstat().st_uid
    if owner == 0:
        _give_all(home, uid, gid)  # its own folder last: cut short, it is done again
    elif owner != uid:
        raise CwError(
            f"{home} is of user {owner}, and agents run as user {uid} here",
            hint=f"Type: chown --recursive --no-dereference {uid}:{gid} {home}",
        )


def give_own(home: Home) -> None:
    """What the host and `cw` may have written into a HOME meanwhile. Not what lies in clones."""
    if os.geteuid() != 0:
        return
    seen = home.path.stat()
    trees = {home.run, home.completed, home.path / ".ssh"}
    trees |= {home.claude / name for name in (*HAND_MADE, "plugins")}
    for path in (home.clones, home.tmp, home.claude, *home.host_owned):
        if in_place(home, path):
            give = _give_all if path in trees and path.is_dir() else _give
            give(path, seen.st_uid, seen.st_gid)


def _give_all(top: Path, uid: int, gid: int) -> None:
    """Of files with several names only those whose names all lie here: an agent that could read
    another's file could have made a link to it.
    """
    names = Counter(inode for inode, links in _files(top) if links > 1)
    whole = {inode for inode, links in _files(top) if names[inode] >= links}
    for folder, folders, files, at in os.fwalk(top, topdown=False, follow_symlinks=False):
        for name in (*files, *folders):
            _give(Path(folder) / name, uid, gid, at=at, whole=whole)
    _give(top, uid, gid)


def _files(top: Path) -> Iterator[tuple[tuple[int, int], int]]:
    """Which file a name stands for, and how many names it has."""
    for _, _, files, at in os.fwalk(top, follow_symlinks=False):
        for name in files:
            with suppress(FileNotFoundError):
                seen = os.stat(name, dir_fd=at, follow_symlinks=False)
                yield (seen.st_dev, seen.st_ino), seen.st_nlink


def _give(
    path: Path,
    uid: int,
    gid: int,
    *,
    at: int | None = None,
    whole: frozenset[tuple[int, int]] | set[tuple[int, int]] = frozenset(),
) -> None:
    """`at`: the folder it is in, held open, as the agent may put another in its place."""
    name = path.name if at is not None else str(path)
    try:
        seen = os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return
    device = stat.S_ISBLK(seen.st_mode) or stat.S_ISCHR(seen.st_mode)
    single = stat.S_ISDIR(seen.st_mode) or seen.st_nlink == 1
    if seen.st_uid == 0 and not device and (single or (seen.st_dev, seen.st_ino) in whole):
        os.chown(name, uid, gid, dir_fd=at, follow_symlinks=False)
