"""What a run's log adds up to, whichever program wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple, Protocol

from cw.accounts.holds import ALL_MODELS, Window
from cw.models import Event
from cw.reasons import Reason
from workerhost.programs.acts import Act, no_acts


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """An agent's last word. `reason`: empty when it says no error; else one of `cw.reasons` or a
    word of the program's own, and `message` is what people are told.
    """

    report: str = ""
    last: str = ""  # what it said last, where an earlier and fuller word is the report
    reason: str = ""
    message: str = ""
    over: str = ""  # which limit it was given it has met: usd or turns

    @property
    def good(self) -> bool:
        return not self.reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The model's API serves the run no further. What `reason` is of decides: `usage_limit` waits
    for `until`, `api_unavailable` passes by itself, each other one needs a person. `scope`: which
    models that is true of, a part of their names.
    """

    reason: Reason
    said: str
    until: datetime | None = None
    scope: str = ALL_MODELS


@dataclass(slots=True)
class Progress:
    """Of the lines read so far."""

    session: str = ""
    model: str = ""
    version: str = ""
    turns: int = 0
    cost_usd: float = 0.0  # as the program has said it so far
    unpriced_usd: float = 0.0  # what came since, by its tokens: about
    result: Result | None = None
    failure: Failure | None = None
    retries: int = 0
    retry_after: timedelta = timedelta()  # that the API asked for last, or the program chose
    windows: tuple[Window, ...] = ()  # of its account, as the API told them last

    @property
    def spent_usd(self) -> float:
        return self.cost_usd + self.unpriced_usd


class Word(Enum):
    LAST = auto()  # the agent is done, for all it knows
    WORK = auto()  # it goes on
    OTHER = auto()


class Taken(NamedTuple):
    """What one line was. `events` makes what people are told of it, given where the line ends and
    when it came: only asked for what is not lost among too many lines. `acts`: what tells whether
    the agent goes round in circles, where a program says it.
    """

    word: Word
    events: Callable[[int, datetime], list[Event]]
    acts: Callable[[], Sequence[Act]] = no_acts


class Reading(Protocol):
    """Of one run's log, from its first line. Raises nothing: agents can write to their own log."""

    @property
    def progress(self) -> Progress: ...

    def part(self, piece: bytes) -> None:
        """Of a line longer than `cw.transcript.loglines.LINE_BYTES`; `take` gets its end."""

    def take(self, line: bytes) -> Taken: ...


def nothing(_offset: int, _at: datetime) -> list[Event]:
    """What a line is that nobody is told of."""
    return []
