"""Where the host's own repositories lie: below the state folder, outside every HOME, seen by no
wall of an agent's. And who may use a HOME's clones at this moment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from cw.errors import UnavailableError, WorkspaceError
from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.shutdown import HostLeavesError

_POLL_SECONDS = 0.05


class BusyError(UnavailableError):
    """Somebody else uses it now."""


def folder(settings: Settings, name: str) -> Path:
    """Only its owner passes `git`; what is below can be bound for others. Raises WorkspaceError."""
    top = settings.state_dir / "git"
    try:
        top.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_folder(top / name)
    except OSError as error:
        raise WorkspaceError(f"{top} cannot be made: {error.strerror}") from error
    return top / name


OPEN = 0o022  # the umask under which git writes there


def open_folder(path: Path) -> None:
    """For all who pass the folders above, whatever our umask: agents' git may be another user's."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)


def write_open(path: Path, text: str) -> None:
    """The same of a file."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


def name_of(home: Home) -> str:
    """Of this HOME among all that ever had this state folder."""
    return f"{home.id}-{hashlib.sha256(os.fsencode(home.path)).hexdigest()[:8]}"


@contextmanager
def scratch(settings: Settings, home: Home, what: str) -> Iterator[Path]:
    """A folder for one use. What a host that died left is removed by the next `occupied`."""
    path = folder(settings, "tmp") / f"{name_of(home)}.{what}.{token_hex(4)}"
    try:
        open_folder(path)
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be made: {error.strerror}") from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def looking(settings: Settings, home: Home, seconds: float) -> Iterator[None]:
    """A view of the HOME's clones: with other views, never beside `occupied`. Raises BusyError."""
    with locked(_lock(settings, home), seconds=seconds, shared=True):
        yield


@contextmanager
def occupied(
    settings: Settings, home: Home, seconds: float, leave: threading.Event | None = None
) -> Iterator[None]:
    """Preparing or settling: alone. Raises BusyError, or HostLeavesError."""
    with locked(_lock(settings, home), seconds=seconds, leave=leave):
        for stale in folder(settings, "tmp").glob(f"{name_of(home)}.*"):
            shutil.rmtree(stale, ignore_errors=True)
        yield


def _lock(settings: Settings, home: Home) -> Path:
    # Not in HOME, although an agent could only read it there: that is enough to hold it.
    return folder(settings, "locks") / f"home-{name_of(home)}"


@contextmanager
def locked(
    path: Path, *, seconds: float, shared: bool = False, leave: threading.Event | None = None
) -> Iterator[int]:
    """Ends with its holder, however that ends. Gives the descriptor, for a change of its kind."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        _take(handle, kind, seconds, leave)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, kind: int, seconds: float, leave: threading.Event | None) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if leave and leave.is_set():
                raise HostLeavesError from None
            if time.monotonic() > deadline:
                raise BusyError("the worker's clone is in use") from None
            time.sleep(_POLL_SECONDS)
        else:
            return
