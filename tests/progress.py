"""What can be read of a run of all tests that somebody cuts short: how far it was, and what failed.

pytest prints why a test failed when all have ended, and then it is too late.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

TOLD_SECONDS = 120.0


@dataclass(eq=False)  # pytest keeps plugins in sets
class Progress:
    """Tells in the process that started the others; one that is alone tells, too."""

    write: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _done: int = 0
    _first: float = field(init=False)
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        self._first = self.clock()
        self._next = self._first + TOLD_SECONDS

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._done += report.when == "teardown"
        if report.failed:
            self.write(f"\n{report.nodeid} ({report.when}):\n{report.longreprtext}")
        if (now := self.clock()) >= self._next:
            self._next = now + TOLD_SECONDS
            self.write(f" {now - self._first:.0f} s, {self._done} done")


def told(text: str) -> None:
    """In xdist's processes nothing: their reports come to the one that started them."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        print(text, flush=True)
