"""What runs have cost, summed up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from cw.models import Model
from cw.operations.views.history import Finished
from cw.reasons import Reason

_UNHEARD = frozenset(
    {
        Reason.KILLED,
        Reason.LOST,
        Reason.HOST_KILLED,
        Reason.HOST_ERROR,
        Reason.LEASE_LOST,
        Reason.STALLED,
        Reason.TIME_LIMIT,
        Reason.MEMORY,
        Reason.LOOPING,
        Reason.STOPPED,
    }
)


class CostRow(Model):
    name: str
    runs: int
    tasks: int
    usd: float  # as the agent program counts it; of the runs whose cost is known
    estimated: int  # runs of which a part of the cost is
    unknown: int  # runs whose cost is not
    turns: int
    duration_s: float


class Costs(Model):
    """`by`: what the rows are."""

    by: str
    since: datetime | None
    rows: list[CostRow]  # the dearest first; days by date
    total: CostRow


def _day(row: Finished) -> str:
    return f"{row.ended_at.astimezone():%Y-%m-%d}"


BY: dict[str, Callable[[Finished], str]] = {
    "worker": lambda row: row.worker,
    "repo": lambda row: row.repo,
    "account": lambda row: row.account,
    "model": lambda row: row.model,
    "day": _day,
    "issue": lambda row: row.label,
}


def costs(
    rows: Iterable[Finished],
    by: str,
    since: datetime | None = None,
    names: Mapping[str, str] | None = None,
) -> Costs:
    """`rows`: one a run. `names`: what accounts are called, by id."""
    known, every = names or {}, list(rows)
    groups: dict[str, list[Finished]] = {}
    for row in every:
        key = BY[by](row)
        groups.setdefault(known.get(key, key) or "?", []).append(row)
    summed = [_sum(name, those) for name, those in groups.items()]
    order = sorted(summed, key=lambda row: row.name if by == "day" else (-row.usd, row.name))
    return Costs(by=by, since=since, rows=order, total=_sum("total", every))


def _sum(name: str, rows: list[Finished]) -> CostRow:
    return CostRow(
        name=name,
        runs=len(rows),
        tasks=len({row.task for row in rows}),
        usd=round(sum(row.cost_usd for row in rows), 6),
        estimated=sum(row.cost_estimated for row in rows),
        unknown=sum(unheard(row) for row in rows),
        turns=sum(row.turns for row in rows),
        duration_s=round(sum(row.duration_s for row in rows), 1),
    )


def unheard(row: Finished) -> bool:
    """Whether an agent ran, and nobody knows what it cost."""
    return not row.cost_usd and (row.turns > 0 or row.outcome.reason in _UNHEARD)
