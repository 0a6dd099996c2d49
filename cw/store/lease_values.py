"""What is said of leases: who asks for one, who holds it, how its run ended."""

from __future__ import annotations

from dataclasses import dataclass

from cw.models import Outcome, Start
from cw.states import Move
from cw.store.notices import NOTHING, Told


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to run a task until the lease ends. `attempt`: 1 for its first run. `session`: the
    conversation that goes on, or begins.
    """

    task_id: str
    fence: int
    attempt: int
    session: str


@dataclass(frozen=True, slots=True)
class Payer:
    """The account that a run would be on, by its id. `spread`: seconds between two starts on one
    that goes on after a hold.
    """

    account: str
    model: str
    spread: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a task was not given: its state, `gone`, `busy`, `other worker`, `repository held`, or
    what its account is: `account held`, `account probed` or `account staggered`.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who says that a lease is theirs; the fence tells whether it still is."""

    task_id: str
    worker: str
    fence: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a run ended, and what others are told of it. `begun`: it came as far as its clone.
    `charged`: a hold of it counts against its task.
    """

    move: Move
    outcome: Outcome
    told: Told = NOTHING
    begun: bool = True
    charged: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveRun:
    """A run as its host knows it. `start`: None before it had a clone."""

    worker: str
    host: str
    fence: int
    attempt: int
    session: str
    prompt: str = ""
    start: Start | None = None
