"""What is said of leases: who asks for one, who holds it, how its run ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cw.budgets.scopes import Payers, Scope
from cw.models import Outcome, Start
from cw.states import Move
from cw.store.notices import NOTHING, Told

RESERVED = "budget reserved"  # a refusal's reason


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
class Spending:
    """Who pays for a run, and the moment that its day and month go by. `host`: whose archive will
    have it.
    """

    payers: Payers
    at: datetime
    host: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """What a run would spend from. `spread`: seconds between two starts on an account that goes on
    after a hold. `scopes`: ceilings that it shares.
    """

    spending: Spending
    model: str
    spread: float
    scopes: tuple[Scope, ...] = ()

    @property
    def account(self) -> str:
        return self.spending.payers.account


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a task was not given: its state, `gone`, `busy`, `other worker`, `repository held`, what
    its account is (`account held`, `account probed` or `account staggered`), or that a ceiling
    which it shares is used up: `budget spent`, or `budget reserved` by others that are at work.
    """

    reason: str
    scope: Scope | None = None  # that ceiling


@dataclass(frozen=True, slots=True)
class Holder:
    """Who says that a lease is theirs; the fence tells whether it still is."""

    task_id: str
    worker: str
    fence: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a run ended, and what others are told of it. `begun`: it came as far as its clone.
    `charged`: a hold of it counts against its task. `spending`: who pays for it, where that is
    known.
    """

    move: Move
    outcome: Outcome
    told: Told = NOTHING
    begun: bool = True
    charged: bool = True
    spending: Spending | None = None


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
