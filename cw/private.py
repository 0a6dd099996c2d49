"""Files that only their owner may read: whatever holds a secret is refused otherwise."""

from __future__ import annotations

import stat
from pathlib import Path

from cw.errors import BadInputError

_OTHERS = 0o077


def open_to_others(path: Path) -> bool:
    """Of the file or folder itself; a link has no mode of its own, and nothing is no risk."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not stat.S_ISLNK(found.st_mode) and bool(found.st_mode & _OTHERS)


def refuse_open(path: Path) -> None:
    """Raises BadInputError, with what to type, when others may use a file that holds a secret."""
    if open_to_others(path.resolve()):
        raise BadInputError(
            f"{path} holds a secret and others may use it", hint=f"chmod 600 {path}"
        )
