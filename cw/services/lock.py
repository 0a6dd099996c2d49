"""One `cw up` for each state_dir: a lock that ends with its holder, however that ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from cw.errors import BadInputError
from cw.services import record
from cw.services.files import private_folder
from cw.services.processes import ProcessMark, mark
from cw.settings import Settings

_PATIENCE = 1.0  # seconds; `cw down` and a second `cw up` hold the lock for an instant to look


def lock_file(settings: Settings) -> Path:
    return settings.state_dir / "up.lock"


@contextmanager
def hold_lock(settings: Settings) -> Iterator[None]:
    """Raises BadInputError naming the holder. The file stays: removing it would let two in."""
    handle = _open(settings)
    try:
        if not _lock_soon(handle):
            raise already_up(holder(settings))
        me = mark(os.getpid())
        os.ftruncate(handle, 0)
        os.pwrite(handle, me.model_dump_json().encode() if me else b"", 0)
        yield
    finally:
        os.close(handle)


def holder(settings: Settings) -> ProcessMark | None:
    """The supervisor that runs now. Raises BadInputError when one does that cannot be named."""
    if not settings.state_dir.is_dir():
        return None
    deadline = time.monotonic() + _PATIENCE
    while True:
        handle = _open(settings)
        try:
            if _lock(handle):
                return None
            found = _content(handle)
        finally:
            os.close(handle)
        if found is not None:
            return found
        if time.monotonic() > deadline:
            return _written_down(settings)
        time.sleep(0.05)  # locked and not yet signed


def _written_down(settings: Settings) -> ProcessMark:
    """Its lock says nothing of use; the record of services may."""
    known = record.read(settings)
    if known is None or mark(known.supervisor.pid) != known.supervisor:
        raise BadInputError(
            f"cw up runs, but {lock_file(settings)} does not say as which process",
            hint=f"Find it with: fuser {lock_file(settings)}",
        )
    return known.supervisor


def already_up(found: ProcessMark | None) -> BadInputError:
    who = f" (pid {found.pid})" if found else ""
    return BadInputError(f"cw up runs already{who}", hint="Stop it with: cw down")


def _open(settings: Settings) -> int:
    private_folder(settings.state_dir)
    try:
        return os.open(lock_file(settings), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadInputError(
            f"{lock_file(settings)} cannot be used: {error.strerror}", hint="Move it away"
        ) from error


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_soon(handle: int) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not _lock(handle):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _content(handle: int) -> ProcessMark | None:
    try:
        found = ProcessMark.model_validate_json(os.pread(handle, 4096, 0))
    except ValidationError:
        return None
    return found if mark(found.pid) == found else None
