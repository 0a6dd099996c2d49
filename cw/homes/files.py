"""Files that are whole or absent, and private."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cw.homes.owner import inherit

FILE_BYTES = 1 << 20  # of a file in a HOME that is read whole
JSON_BYTES = 16 << 20  # of what we wrote ourselves: a remote may have 10^5 refs


def write_private(path: Path, data: bytes) -> None:
    """Replace a file so that after a power cut the old or the new one is there; on the disk when
    this returns. Mode 0600. Raises OSError, and then the old one is there.
    """
    with staged(path, data):
        pass


@contextmanager
def staged(path: Path, data: bytes, mode: int = 0o600) -> Iterator[None]:
    """The same, in place once the body has ended well. Rights and space are found missing before
    it begins.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        inherit(Path(temporary))
        yield
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_regular(path: Path) -> IO[bytes]:
    """For reading. Raises OSError for anything else in its place: a pipe would never end, a device
    may act, a link leads to what is not ours to show. Agents can make all of them.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnfitFileError(f"{path} is no regular file")
    return os.fdopen(handle, "rb")


def read_regular(path: Path, most: int = FILE_BYTES) -> bytes:
    """A file that an agent may have made, whole. Raises OSError, also for one with more bytes."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise UnfitFileError(f"{path} has more than {most} bytes")
    return data


class UnfitFileError(OSError):
    """What lies there is not read."""


def read_json(path: Path, most: int = JSON_BYTES) -> dict[str, Any] | None:
    """The object in a file; None when there is none, or nothing that can be used. `most`: bytes, as
    in `read_regular`. Raises nothing.
    """
    try:
        data = json.loads(read_regular(path, most))
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
