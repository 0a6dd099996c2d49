"""Processes whose shim or host is gone. Linux; elsewhere none are found.

The wall dies with whoever started it, except in the first milliseconds of its own life.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cw.homes.layout import Home

OURS = {"CW_NO_AGENT": "1"}  # in the environment of what we run in a HOME ourselves
_OURS = "CW_NO_AGENT=1"
_PAUSE_SECONDS = 0.05
_TRIES = 100
_ENVIRON_BYTES = 6 << 20  # as long as Linux lets one be


def end_leftovers(home: Home) -> int:
    """Kill what still has the environment of this HOME's agent. Returns how many there were."""
    return _end(lambda: _with(f"CLAUDE_CODE_TMPDIR={home.tmp}", but=_OURS))


def end_our_own(home: Home) -> int:
    """Kill what a host that is dead had begun in this HOME itself: git in a clone, the way to the
    network beside it. Only for the one host that the HOME has, before it does anything there.
    """
    return _end(lambda: _with(f"HOME={home.path}", _OURS))


def _end(look: Callable[[], list[int]]) -> int:
    first = found = look()
    for _ in range(_TRIES):
        if not found:
            break
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)
        found = look()
    return len(first)


def _with(*marks: str, but: str = "") -> list[int]:
    """Whose environment has all of `marks`, and not `but`."""
    wanted, unwanted = [_entry(mark) for mark in marks], [_entry(mark) for mark in (but,) if mark]
    found = []
    for place in os.scandir("/proc"):
        if not place.name.isdigit():
            continue
        with suppress(OSError), Path(place.path, "environ").open("rb", buffering=0) as file:
            environ = b"\0%s\0" % file.read(_ENVIRON_BYTES)  # empty for a zombie
            ours = all(entry in environ for entry in wanted)
            if ours and not any(entry in environ for entry in unwanted):
                found.append(int(place.name))
    return found


def _entry(text: str) -> bytes:
    return b"\0%s\0" % text.encode()
