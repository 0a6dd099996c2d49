"""Many ids in few words: `03..08 docs`, as they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_SHORTEST = 3  # ids that make a range


def spans(ids: Sequence[str]) -> list[str]:
    """In the order given; numbers that follow each other, of one width, are a range."""
    runs: list[list[str]] = [[name] for name in ids[:1]]
    for before, name in pairwise(ids):
        if _next_of(before) == name:
            runs[-1].append(name)
        else:
            runs.append([name])
    return [word for run in runs for word in _words(run)]


def _words(run: list[str]) -> list[str]:
    return run if len(run) < _SHORTEST else [f"{run[0]}..{run[-1]}"]


def _next_of(name: str) -> str:
    return f"{int(name) + 1:0{len(name)}}" if name.isascii() and name.isdigit() else ""
