"""Folders and logs under state_dir that only their owner can read."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cw.errors import BadInputError

LOG_BYTES = 10 * 1024 * 1024


def private_folder(path: Path) -> Path:
    """The folder, ours and closed to everybody else. Raises BadInputError when it cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise BadInputError(
                f"{path} is not a folder of yours", hint="Remove it or set CW_STATE_DIR"
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be used: {error.strerror}", hint="Set CW_STATE_DIR to a folder of yours"
        ) from error
    return path


@contextmanager
def log_file(path: Path) -> Iterator[int]:
    """A descriptor that appends, for a process to inherit. An overlong log is moved aside first."""
    keep_small(path)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def keep_small(path: Path, limit: int = LOG_BYTES) -> None:
    """Copy an overlong log to `<name>.1` and empty it; whoever appends to it simply goes on."""
    try:
        if path.stat().st_size <= limit:
            return
        old = path.with_name(f"{path.name}.1")
        old.unlink(missing_ok=True)
        with (
            path.open("rb") as source,
            os.fdopen(os.open(old, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target,
        ):
            source.seek(-limit, os.SEEK_END)
            shutil.copyfileobj(source, target)
        os.truncate(path, 0)
    except OSError:
        return  # no log yet, or a full disk: neither may stop a service


def tail(path: Path, lines: int = 20) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []
