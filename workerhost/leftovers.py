"""Processes of a run whose shim is gone. Linux; elsewhere none are found.

The wall dies with its shim, except in the first milliseconds of its own life.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from workerhost.layout import Home

OURS = {"CW_NO_AGENT": "1"}  # in the environment of what we run in a HOME ourselves
_PAUSE_SECONDS = 0.05
_TRIES = 100


def end_leftovers(home: Home) -> int:
    """Kill what still has the environment of this HOME's agent. Returns how many there were."""
    first = found = _of(home)
    for _ in range(_TRIES):
        if not found:
            break
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)
        found = _of(home)
    return len(first)


def _of(home: Home) -> list[int]:
    mark = f"CLAUDE_CODE_TMPDIR={home.tmp}\0".encode()
    ours = "".join(f"{name}={value}\0" for name, value in OURS.items()).encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environ = (place / "environ").read_bytes()  # empty for a zombie
            if mark in environ and ours not in environ:
                found.append(int(place.name))
    return found
