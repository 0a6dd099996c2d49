"""How long what failed is left alone before it is tried again, and how often. For one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

_FIRST_SECONDS = 5.0
_LONGEST_SECONDS = 900.0
_PASSING_TRIES = 20  # of what GitHub may take later: more than three hours
_ODD_TRIES = 5  # of what nobody foresaw


@dataclass(frozen=True, slots=True)
class _Failed:
    tries: int
    again_at: float
    reason: str


class Backoff:
    """By key: an issue, or a token when it is GitHub or the token that fails."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[Hashable, _Failed] = {}

    def waits(self, key: Hashable) -> bool:
        failed = self._failed.get(key)
        return failed is not None and self._clock() < failed.again_at

    def failed(self, key: Hashable, reason: str, most: float = _LONGEST_SECONDS) -> int:
        """Returns how often it failed in a row."""
        tries = self.tries(key) + 1
        wait = min(most, _FIRST_SECONDS * 2.0 ** min(tries - 1, 30))
        self._failed[key] = _Failed(tries, self._clock() + wait, reason)
        return tries

    def spent(self, key: Hashable, *, odd: bool) -> bool:
        return self.tries(key) >= (_ODD_TRIES if odd else _PASSING_TRIES)

    def tries(self, key: Hashable) -> int:
        failed = self._failed.get(key)
        return failed.tries if failed else 0

    def well(self, key: Hashable) -> None:
        self._failed.pop(key, None)

    def reason(self) -> str:
        """Of what fails for the longest; empty when nothing does."""
        worst = max(self._failed.values(), key=lambda failed: failed.tries, default=None)
        return f"{worst.reason} ({worst.tries} tries)" if worst else ""
