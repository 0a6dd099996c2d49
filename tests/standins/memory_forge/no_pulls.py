"""It has no pull requests: nothing of one can be read or done."""

from __future__ import annotations

from cw.errors import GoneError
from cw.forges.reviewing import MOST, Diff, Opinion

_NONE = "there are no pull requests"


class NoPulls:
    """See `cw.forges.reviewing`."""

    def diff(self, repo: str, number: int, most: int = MOST) -> Diff:
        raise GoneError(_NONE)

    def review(self, repo: str, number: int, *, head: str, opinion: Opinion, body: str) -> None:
        raise GoneError(_NONE)

    def start_thread(self, repo: str, number: int, *, head: str, body: str) -> None:
        raise GoneError(_NONE)

    def close(self, repo: str, number: int) -> None:
        raise GoneError(_NONE)
