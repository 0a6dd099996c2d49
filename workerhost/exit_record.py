"""What a shim writes of its run, whole or not at all: that it is there, and how it ended.

Standard library only: the shim of each run uses it.
"""

import errno
import json
import os
import resource
import time
from typing import Any

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_ROOM = 4096  # bytes: a block, and more than any record of an end


def record(rc: int, cause: str, started: float) -> dict[str, Any]:
    return {
        "rc": rc if rc >= 0 else 128 - rc,
        "signal": -rc if rc < 0 else 0,
        "cause": cause,
        "started_at": started,
        "ended_at": time.time(),
        "max_rss_kb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    }


def keep_room(*paths: str) -> None:
    """Blocks on the disk for each of these records, which have to be written when none is left."""
    for path in paths:
        _put(_room(path), b"\0" * _ROOM)


def write_state(path: str, data: dict[str, Any]) -> None:
    """That the run is there, also where its agent was quicker and has filled the disk."""
    _write_kept(path, data, data)


def write_end(path: str, data: dict[str, Any]) -> None:
    """A run without a record of its end is taken for lost: one from a full disk says so."""
    _write_kept(path, data, data | {"cause": "disk_full"})


def _write_kept(path: str, data: dict[str, Any], when_full: dict[str, Any]) -> None:
    """On a full disk into the blocks that were kept; with less than that the error goes on."""
    try:
        _write(path, data)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _put(_room(path), json.dumps(when_full).encode().ljust(_ROOM))  # nothing is cut or added
        _move(_room(path), path)
    for left in (_room(path), f"{path}.new"):
        if os.path.exists(left):
            os.unlink(left)


def _room(path: str) -> str:
    return f"{path}.room"


def _write(path: str, data: dict[str, Any]) -> None:
    """Whole or absent, also after a power cut."""
    temporary = f"{path}.new"
    if os.path.exists(temporary):
        os.unlink(temporary)
    _put(temporary, json.dumps(data).encode())
    _move(temporary, path)


def _put(path: str, data: bytes) -> None:
    """Over what is there, in its blocks."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _move(temporary: str, path: str) -> None:
    os.rename(temporary, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
