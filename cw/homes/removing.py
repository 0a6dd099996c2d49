"""Taking a HOME out of the fleet without deleting anything."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from cw.errors import CwError
from cw.homes.layout import Home
from cw.homes.running import shim_lives

REMOVED = ".removed"  # beside the HOMEs; no worker id begins like this
_SETTLE_SECONDS = 5.0


def set_aside(home: Home) -> Path | None:
    """Move the HOME to `.removed/<id>-<time>`; None when there is none. Raises CwError.

    For a worker that can start nothing any more. Its last run may still be writing its archive.
    """
    if not home.path.is_dir():
        return None
    deadline = time.monotonic() + _SETTLE_SECONDS
    while shim_lives(home) or home.journal.exists():
        if time.monotonic() > deadline:
            raise CwError(f"worker {home.id} still has a run to be recorded", hint="See: cw status")
        time.sleep(0.05)
    try:
        folder = home.path.parent / REMOVED
        folder.mkdir(mode=0o700, exist_ok=True)
        return home.path.rename(_free_place(folder, home.id))
    except OSError as error:
        raise CwError(f"{home.path} cannot be moved: {error.strerror}") from error


def _free_place(folder: Path, worker: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    place = folder / f"{worker}-{stamp}"
    return place if not place.exists() else folder / f"{worker}-{stamp}-{time.time_ns()}"
