"""/etc without what root keeps for itself, for agents of a host that is root: behind the wall they
have its number, and the kernel would let them read it.
"""

from __future__ import annotations

import stat
from pathlib import Path

ETC = "/etc"
_LISTED = 0o005  # a folder of which everybody sees what is in it
_READ = 0o004


def for_all(folder: str) -> list[str]:
    """bubblewrap's options. Everything that is for all is bound by itself: a mount over one file
    would be gone as soon as somebody replaces that file, as `passwd` does.
    """
    shown, whole = _parts(folder)
    return ["--ro-bind", folder, folder] if whole else ["--tmpfs", folder, *shown]


def _parts(folder: str) -> tuple[list[str], bool]:
    """Options that show what is for all in it, and whether that is everything."""
    options: list[str] = []
    all_whole = True
    for path in sorted(Path(folder).iterdir()):
        try:
            shown, whole = _part(path)
        except OSError:  # it went away meanwhile, say
            shown, whole = [], False
        options += shown
        all_whole = all_whole and whole
    return options, all_whole


def _part(place: Path) -> tuple[list[str], bool]:
    path, mode = str(place), place.lstat().st_mode
    bound = ["--ro-bind-try", path, path]
    if stat.S_ISLNK(mode):
        return ["--symlink", str(place.readlink()), path], True
    if stat.S_ISREG(mode) and mode & _READ:
        return bound, True
    if stat.S_ISDIR(mode) and mode & _LISTED == _LISTED:
        inner, whole = _parts(path)
        return (bound, True) if whole else (["--dir", path, *inner], False)
    return [], False
