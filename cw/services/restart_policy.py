"""When a service is started, and whether starting all of them has worked. Nothing is done here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum, auto

MAX_PAUSE = 30.0  # seconds between an end and the next start
GOOD_LIFE = 60.0  # seconds after which earlier ends no longer count
STOPPED = 5  # hopeless ends in a row after which a service is not started again
HOPELESS = 3  # ends in a row before a first success at which `cw up -d` gives up


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of one service. Times are monotonic seconds."""

    running: bool = False  # started, and its end has not been noticed
    failures: int = 0  # ends in a row
    started_at: float = 0.0
    not_before: float = 0.0
    hopeless: int = 0  # ends in a row that another start will not change

    @property
    def stopped(self) -> bool:
        """Until a person has done something about it."""
        return self.hopeless >= STOPPED


class End(Enum):
    PASSING = auto()  # another start may do
    MENDED = auto()  # its reason is gone
    HOPELESS = auto()  # it said why it cannot run


class Action(Enum):
    WAIT = auto()
    START = auto()
    NOTE_END = auto()


def decide(watched: Watched, *, alive: bool, may_start: bool, now: float) -> Action:
    if watched.running:
        return Action.WAIT if alive else Action.NOTE_END
    may_start = may_start and not watched.stopped
    return Action.START if may_start and now >= watched.not_before else Action.WAIT


def pause(failures: int) -> float:
    """Seconds to wait after the n-th end in a row: 1, 2, 4 up to 30."""
    return min(MAX_PAUSE, 2.0 ** min(failures - 1, 10))


def started(watched: Watched, now: float) -> Watched:
    return replace(watched, running=True, started_at=now)


def ended(watched: Watched, now: float, kind: End = End.PASSING) -> Watched:
    """Nothing we run ends by itself, so every end counts, whatever its exit code, unless its reason
    is gone.
    """
    if kind is End.MENDED:
        return replace(watched, running=False, hopeless=0, not_before=now)
    lived_well = watched.running and now - watched.started_at >= GOOD_LIFE
    failures = 1 if lived_well else watched.failures + 1
    hopeless = watched.hopeless + 1 if kind is End.HOPELESS else 0
    pause_ends = now + pause(failures)
    return replace(
        watched, running=False, failures=failures, hopeless=hopeless, not_before=pause_ends
    )


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service as `cw up -d` sees it from outside."""

    name: str
    ready: bool
    failures: int


class Startup(Enum):
    WAIT = auto()
    READY = auto()
    FAILED = auto()


def verdict(
    seen: Collection[ServiceState], *, supervisor_alive: bool, waited: float, limit: float
) -> tuple[Startup, str]:
    """How the start goes, and the service to blame ("" is the supervisor itself)."""
    if not supervisor_alive:
        return Startup.FAILED, ""
    if seen and all(service.ready for service in seen):
        return Startup.READY, ""
    for service in seen:
        if not service.ready and service.failures >= HOPELESS:
            return Startup.FAILED, service.name
    if waited >= limit:
        return Startup.FAILED, next((service.name for service in seen if not service.ready), "")
    return Startup.WAIT, ""
