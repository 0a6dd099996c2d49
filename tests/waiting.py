"""Waiting for conditions, never for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], seconds: float = 20.0, what: str | Callable[[], str] = ""
) -> T:
    """The first true answer; in time, or the test fails and says `what` it waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"waited {seconds:.0f} s for {said or condition}")
        time.sleep(0.02)
