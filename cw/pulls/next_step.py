"""What is done about what keeps a pull request from being merged, and when no more. Pure: the
bounds of docs/pull-requests.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cw.budgets.ceilings import NONE, Amount
from cw.pulls.record import MENDABLE, Cause, PullRecord
from cw.pulls.states import PullState
from cw.pulls.turns import first_in_line
from cw.pulls.verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """`repairs`: of each cause; 0: nothing is mended. `life`: of a pull request. `ceiling`: of its
    task and all its repairs together; 0 in it is no limit.
    """

    repairs: int
    life: timedelta
    ceiling: Amount = NONE


@dataclass(frozen=True, slots=True)
class Mend:
    """Order a repair."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Wait:
    """Another one comes first."""

    words: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A person is told, once for all of it."""

    cause: Cause
    words: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing here is a repair's."""


Step = Mend | Wait | GiveUp | Leave


def next_step(
    record: PullRecord,
    verdict: Verdict,
    bounds: Bounds,
    others: Iterable[PullRecord],
    now: datetime,
) -> Step:
    """`others`: all open ones; looked through only for a conflict."""
    cause = next((one for one in MENDABLE if one in verdict.causes), None)
    left_alone = Cause.LOOK in verdict.causes or not bounds.repairs
    if verdict.state is not PullState.NEEDS_YOU or cause is None or left_alone:
        return Leave()
    if over := why_over(record, cause, bounds, now):
        return GiveUp(cause, over)
    first = first_in_line(record, others) if cause is Cause.CONFLICT else None
    if first:
        return Wait(
            f"{verdict.causes[cause]}; {first.name} is mended first"
            if first.repair
            else f"{verdict.causes[cause]}; {first.name} changes the same files and is merged first"
        )
    return Mend(cause)


def why_over(record: PullRecord, cause: Cause | None, bounds: Bounds, now: datetime) -> str:
    """Why nothing more is tried; empty: one more may be. `cause` None: a reading."""
    done = record.tries(cause) if cause else 0
    if cause and done >= bounds.repairs:
        return f"mended {done} times in vain"
    if now - record.made_at >= bounds.life:
        return f"it is older than {bounds.life.days} days"
    took = Amount(record.cost_usd, record.turns, record.seconds)
    if unit := bounds.ceiling.met_by(took):
        return f"its budget is used up ({_UNITS[unit]})"
    return ""


_UNITS = {"usd": "dollars", "turns": "turns", "s": "minutes"}
