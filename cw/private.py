"""Files that only their owner may read: whatever holds a secret is refused otherwise, and is never
opened to agents.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from itertools import product
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


def refuse_overlap(
    opened: Iterable[Path], apart: tuple[Path, ...], unseen: tuple[Path, ...]
) -> None:
    """Raises BadInputError for what is opened to agents and shares anything with a folder that is
    to stay `apart`, or contains what is to stay `unseen`.
    """
    for path, secret in product(opened, (*apart, *unseen)):
        if _contains(path, secret) or (secret in apart and _contains(secret, path)):
            raise BadInputError(
                f"CW_SANDBOX_READ: {path} would show {secret} to agents",
                hint="Name the toolchain's own folder",
            )


def _contains(folder: Path, path: Path) -> bool:
    """As they are called, or where they lead."""
    ways = product((folder, folder.resolve()), (path, path.resolve()))
    return any(inner.is_relative_to(outer) for outer, inner in ways)
