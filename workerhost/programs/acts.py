"""What an agent does, whichever program it is: calls of its tools, and what they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """`turn`: the answer of the model that it is part of. `thread`: the call whose subagent makes
    it; empty when it is the agent itself. `key`: the same for the same call, in one process.
    `said`: for people. `waits`: it is made for time to pass. `changes`: it may change a file;
    `whole`: none when it fails.
    """

    id: str
    turn: str
    key: int
    said: str
    thread: str = ""
    waits: bool = False
    changes: bool = True
    whole: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    id: str  # of its call
    text: str
    failed: bool = False


Act = Call | Answer


def no_acts() -> Sequence[Act]:
    """What a line has that is no work."""
    return ()
