"""When a service is started, and whether starting all of them has worked. Nothing is done here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum, auto

MAX_PAUSE = 30.0  # seconds between an end and the next start
GOOD_LIFE = 60.0  # seconds after which earlier ends no longer count
HOPELESS = 3  # ends in a row before a first success at which `cw up -d` gives up


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of one service. Times are monotonic seconds."""

    running: bool = False  # started, and its end has not been noticed
    failures: int = 0  # ends in a row
    started_at: float = 0.0
    not_before: float = 0.0


class Action(Enum):
    WAIT = auto()
    START = auto()
    NOTE_END = auto()


def decide(one: Watched, *, alive: bool, may_start: bool, now: float) -> Action:
    if one.running:
        return Action.WAIT if alive else Action.NOTE_END
    return Action.START if may_start and now >= one.not_before else Action.WAIT


def pause(failures: int) -> float:
    """Seconds to wait after the n-th end in a row: 1, 2, 4 up to 30."""
    return min(MAX_PAUSE, 2.0 ** min(failures - 1, 10))


def started(one: Watched, now: float) -> Watched:
    return replace(one, running=True, started_at=now)


def ended(one: Watched, now: float) -> Watched:
    """Nothing we run ends by itself, so every end counts, whatever its exit code."""
    lived_well = one.running and now - one.started_at >= GOOD_LIFE
    failures = 1 if lived_well else one.failures + 1
    return replace(one, running=False, failures=failures, not_before=now + pause(failures))


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as `cw up -d` sees it from outside."""

    name: str
    ready: bool
    failures: int


class Verdict(Enum):
    WAIT = auto()
    READY = auto()
    FAILED = auto()


def verdict(
    seen: Collection[Seen], *, supervisor_alive: bool, waited: float, limit: float
) -> tuple[Verdict, str]:
    """How the start goes, and the service to blame ("" is the supervisor itself)."""
    if not supervisor_alive:
        return Verdict.FAILED, ""
    if seen and all(one.ready for one in seen):
        return Verdict.READY, ""
    for one in seen:
        if not one.ready and one.failures >= HOPELESS:
            return Verdict.FAILED, one.name
    if waited >= limit:
        return Verdict.FAILED, next((one.name for one in seen if not one.ready), "")
    return Verdict.WAIT, ""
