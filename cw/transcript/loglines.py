"""The lines of a log of any size, of which none takes more memory than an event may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from cw.models import Event

LINE_BYTES = 1 << 20  # a longer line is no event; of claude's only those with pictures are
TEXT_CAP = 20_000  # characters of an event; more is in worker.log


def log_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Longer ones are left out whole: they are no events."""
    cut = False
    while line := file.readline(LINE_BYTES + 1):
        whole = line.endswith(b"\n") or len(line) <= LINE_BYTES
        if whole and not cut:
            yield line
        cut = not whole


def as_text(line: bytes, offset: int, at: datetime) -> list[Event]:
    """A line that no program's reader understands, as it is."""
    from cw.models import Event

    text = line[: 4 * TEXT_CAP].decode("utf-8", "replace").strip()
    return [Event(at=at, kind="note", text=text[:TEXT_CAP], offset=offset)] if text else []
