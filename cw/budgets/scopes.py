"""Who shares a ceiling, and until when it counts: days and months of UTC. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cw.budgets.ceilings import Amount

FLEET = "fleet"  # in the whole month; in a day behind its number


class Level(StrEnum):
    WORKER_DAY = "worker_day"
    ACCOUNT_DAY = "account_day"
    FLEET_DAY = "fleet_day"
    FLEET_MONTH = "fleet_month"


@dataclass(frozen=True, slots=True)
class Payers:
    """Who pays for a run beside its task: ids. `name`: what people call the account."""

    worker: str
    account: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """A ceiling that several runs share. `place`: what their spending is summed up under in the
    month's ledger. `until`: when it begins anew. `words`: which it is.
    """

    place: str
    ceiling: Amount
    until: datetime
    words: str
    setting: str

    @property
    def used_up(self) -> str:
        """For a person: why nothing begins below it."""
        return (
            f"{self.words} ({self.ceiling.text()}) is used up until"
            f" {self.until.astimezone():%Y-%m-%d %H:%M}, or until {self.setting} is raised"
        )

    @property
    def shared_out(self) -> str:
        """For a person: why nothing begins below it at this moment."""
        return f"what is left of {self.words} ({self.ceiling.text()}) is for tasks that run"


def month(now: datetime) -> str:
    """The ledger of this moment: 2026-11."""
    return f"{now.astimezone(UTC):%Y-%m}"


def places(payers: Payers, now: datetime) -> tuple[str, ...]:
    """All that a run's spending is summed up under."""
    account = [account_place(payers.account, now), account_place(payers.account)]
    return (
        worker_place(payers.worker, now),
        *(account if payers.account else []),
        fleet_place(now),
        FLEET,
    )


def worker_place(worker: str, now: datetime) -> str:
    return f"{now.astimezone(UTC):%d}:worker:{worker}"


def fleet_place(now: datetime) -> str:
    """On its day; in the whole month: `FLEET`."""
    return f"{now.astimezone(UTC):%d}:{FLEET}"


def account_place(account: str, now: datetime | None = None) -> str:
    """On the day of `now`; without, in the whole month."""
    day = f"{now.astimezone(UTC):%d}:" if now else ""
    return f"{day}account:{account}"


def scopes(ceilings: Mapping[Level, Amount], payers: Payers, now: datetime) -> tuple[Scope, ...]:
    """Those that have a ceiling and that a run of these payers is in."""
    return tuple(
        Scope(place, ceilings[level], until, words, f"budget.{level}")
        for level, (place, until, words) in _known(payers, now).items()
        if place and ceilings.get(level)
    )


def met(
    places_met: Mapping[str, Amount],
    payers: Payers,
    now: datetime,
    ceilings: Mapping[Level, Amount] | None = None,
) -> Scope | None:
    """The ceiling below which nothing of these payers begins. `places_met`: as the ledger has it.
    `ceilings`: of whoever asks, whose own may be higher by now; None: whoever met it knew.
    """
    for level, (place, until, words) in _known(payers, now).items():
        was = places_met.get(place)
        if was is None:
            continue
        if ceilings is None:
            return Scope(place, was, until, words, f"budget.{level}")
        own = ceilings.get(level, Amount())
        pairs = ((was.usd, own.usd), (was.turns, own.turns), (was.s, own.s))
        if any(then and now_is and then >= now_is for then, now_is in pairs):
            return Scope(place, own, until, words, f"budget.{level}")
    return None


def _known(payers: Payers, now: datetime) -> dict[Level, tuple[str, datetime, str]]:
    """Each level's place, its end, and which it is; no place without an account."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + timedelta(days=1)
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    account = payers.account and account_place(payers.account, now)
    named = payers.name or payers.account
    return {
        Level.WORKER_DAY: (
            worker_place(payers.worker, now),
            tomorrow,
            f"worker {payers.worker}'s budget for today",
        ),
        Level.ACCOUNT_DAY: (account, tomorrow, f"account {named}'s budget for today"),
        Level.FLEET_DAY: (fleet_place(now), tomorrow, "the fleet's budget for today"),
        Level.FLEET_MONTH: (FLEET, next_month, "the fleet's budget for this month"),
    }
