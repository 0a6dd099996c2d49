"""Files that are whole or absent, and private."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_private(path: Path, data: bytes) -> None:
    """Replace a file so that after a power cut the old or the new one is there. Mode 0600."""
    with staged(path, data):
        pass


@contextmanager
def staged(path: Path, data: bytes) -> Iterator[None]:
    """The same, in place once the body has ended well. Rights and space are found missing before
    it begins.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_regular(path: Path, cap: int) -> bytes:
    """What a file has that an agent may have made: nothing is waited for, no link is followed.
    Raises OSError, also for what is no file and for what is larger.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is no file", str(path))
        data = file.read(cap + 1)
    if len(data) > cap:
        raise OSError(errno.EFBIG, "is too large", str(path))
    return data


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None when there is none, or nothing that can be used."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
