"""A pull request of ours, as the store keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from cw.models import MaybeMoment, MaybeText, Model, Moment
from cw.names import repo_key
from cw.pulls.readings import Readings
from cw.pulls.states import ENDED, PullState


class Cause(StrEnum):
    """What keeps it from being merged, in the order in which one hides nothing of another."""

    CONFLICT = "conflict"
    CHECKS = "checks"  # red ones
    ASKS = "asks"  # a check that a person has to let run
    REVIEW = "review"
    BASE = "base"  # red there as well: not ours
    STUCK = "stuck"  # a required check that does not end
    UNREAD = "unread"  # nobody knows what its checks say
    LOOK = "look"  # at what its last repair did or said
    ANSWERED = "answered"  # what reviewers wanted, who have not looked again


MENDABLE = (Cause.CONFLICT, Cause.CHECKS, Cause.REVIEW)  # by a repair; the first comes first


class Shown(Model):
    """What was seen of it last, as lists show it."""

    checks: str = ""  # one phrase
    lacks: tuple[str, ...] = ()  # rights without which they were not all read, where that matters
    conflicts: str = ""  # yes, no; empty: not known yet
    review: str = ""  # approved, changes, threads, wanted; empty: none
    draft: bool = False
    base: str = ""
    added: int = 0
    removed: int = 0
    files: int = 0
    paths: tuple[str, ...] = ()  # of the first of them


class UnderWay(Model):
    """A repair that was ordered. `task`: its id, which may not be recorded yet."""

    task: str
    cause: Cause
    head: str  # that was judged
    at: Moment


class Asked(Model):
    """A task that reads it, and says what it thinks. `head`: that it was asked of."""

    task: str
    head: str


class PullRecord(Model):
    """`head` is the last that was seen, `left` what a task of ours left there last; empty: nobody
    knows.
    """

    repo: str
    repo_id: int = 0
    number: int
    url: str
    task: str
    issue: int | None = None
    title: str = ""
    by: str = ""  # who dispatched the task
    worker: str = ""
    workers: tuple[str, ...] = ()  # all that had a task of it
    host: str = ""
    session: MaybeText = None
    branch: str = ""
    # What its task, its repairs and its readings took.
    cost_usd: float = 0.0
    cost_estimated: bool = False  # a part of it
    turns: int = 0
    seconds: float = 0.0
    made_at: Moment  # the task's end
    state: PullState = PullState.WATCHING
    cause: Cause | None = None
    waits: str = "nobody has looked at it yet"  # for people
    left: str = ""
    head: str = ""
    head_at: Moment  # when it was seen first
    moved_at: Moment  # when anything of it changed last
    looked_at: MaybeMoment = None  # wholly
    ended_at: MaybeMoment = None
    mark: str = ""  # of the last glance
    shown: Shown = Shown()
    stops: dict[str, str] = Field(
        default_factory=dict
    )  # what a person said or did once, by its id: whose it is now
    hands: dict[str, str] = Field(default_factory=dict)  # all that means hands off now, likewise
    released: tuple[str, ...] = ()  # ids of those that count no more
    comments: int = 0  # that were there at the last look
    told: tuple[str, ...] = ()  # what people were told of, each once
    rounds: dict[str, str] = Field(default_factory=dict)  # repairs: their tasks' ids to causes
    repair: UnderWay | None = None
    tried: tuple[str, ...] = ()  # how its last repairs ended, in words
    halted: str = ""  # what a person has to look at before anything more is mended
    answered: tuple[str, ...] = ()  # ids of remarks and reviews that a repair has seen to
    rerun: tuple[str, ...] = ()  # checks that were run again, by name and head
    asked: Asked | None = None  # whose opinion was asked for last
    cleared: dict[str, str] = Field(
        default_factory=dict
    )  # by worker, once it is merged: what stays in its HOME and why, for people; empty: nothing
    readings: Readings | None = None  # None: it is no draft for the sake of one
    revision: int = 0  # of the record; another one for each change

    @property
    def key(self) -> tuple[str, int]:
        return repo_key(self.repo, self.repo_id), self.number

    def with_worker(self, worker: str | None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(filter(None, (*self.workers, self.worker, worker))))

    def tries(self, cause: Cause) -> int:
        """How many repairs of it were ordered."""
        return list(self.rounds.values()).count(cause)

    @property
    def name(self) -> str:
        """As people type it."""
        return f"{self.repo}#{self.number}"

    @property
    def open(self) -> bool:
        return self.state not in ENDED


def by_state(records: Iterable[PullRecord]) -> dict[str, int]:
    """How many are in each, of the open ones."""
    return dict(Counter(record.state.value for record in records if record.open))


_SHORTEST = timedelta(0)  # in the next pass
_LONGEST = timedelta(minutes=15)
_SHARE = 8  # of the time for which nothing moved


def next_look(state: PullState, moved_at: datetime, now: datetime) -> datetime:
    """Each pass while its checks run, a repair or a reading is under way or something moves; then
    ever more seldom.
    """
    if state in {PullState.CHECKING, PullState.REPAIRING, PullState.REVIEWING}:
        return now
    return now + min(_LONGEST, max(_SHORTEST, (now - moved_at) / _SHARE))
