"""What a run's followers have not been told yet."""

from __future__ import annotations

from collections import deque

from cw.models import Event

_KEPT = 2000  # as many as the stream keeps
_BYTES = 4 << 20  # of the lines that they come from


class Unsent:
    """Events that the broker has not taken: the newest, while there is room for them."""

    def __init__(self) -> None:
        self._lines: deque[tuple[list[Event], int]] = deque(maxlen=_KEPT)
        self._bytes = 0

    def add(self, events: list[Event], line: int) -> None:
        """`line`: its length, for which the events stand."""
        if len(self._lines) == _KEPT:
            self._drop()
        self._lines.append((events, line))
        self._bytes += line
        while self._bytes > _BYTES:
            self._drop()

    def events(self) -> list[Event]:
        return [event for events, _ in self._lines for event in events][-_KEPT:]

    def clear(self) -> None:
        self._lines.clear()
        self._bytes = 0

    def _drop(self) -> None:
        self._bytes -= self._lines.popleft()[1]
