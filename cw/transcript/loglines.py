"""The lines of a log of any size, of which none takes more memory than an event may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from cw.transcript.events import LINE_BYTES


def log_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Longer ones are left out whole: they are no events."""
    cut = False
    while line := file.readline(LINE_BYTES + 1):
        whole = line.endswith(b"\n") or len(line) <= LINE_BYTES
        if whole and not cut:
            yield line
        cut = not whole
