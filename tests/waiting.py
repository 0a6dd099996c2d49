"""Waiting for conditions, never for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE = 0.3  # seconds


def wait_until(
    condition: Callable[[], T], seconds: float = 20.0, what: str | Callable[[], str] = ""
) -> T:
    """The first true answer; in time, or the test fails and says `what` it waited for. Asking takes
    no more than a third of the time, and a tenth where that is no long pause: what is waited for
    needs the machine, too.
    """
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        found = condition()
        took = time.monotonic() - asked
        if found:
            return found
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"waited {seconds:.0f} s for {said or condition}")
        time.sleep(max(0.02, 2 * took, min(9 * took, _PAUSE)))
