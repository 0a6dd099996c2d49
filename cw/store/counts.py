"""What is only ever counted: runs by their end, renewals of leases, dollars a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from cw.store import keys
from cw.store.connection import Connection, is_error, is_wrong_type
from cw.store.unreadable import is_text

_KEYS = (keys.COUNTS, keys.COSTS)
_WHAT = "a number that is only counted"
_DAY = timedelta(days=1).total_seconds()


@dataclass(frozen=True, slots=True)
class Counts:
    """Since the broker began to count. Costs: US dollars."""

    runs: dict[tuple[str, str], int] = field(default_factory=dict)  # (kind, reason) -> how many
    renewals: int = 0
    cost_today: float = 0.0  # of runs that ended on this day of UTC
    cost: float = 0.0


class CountStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def read(self, now: datetime) -> Counts:
        """`now`: of the server's clock."""
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            pipe.hgetall(keys.COUNTS)
            pipe.hgetall(keys.COSTS)
            found = pipe.execute(raise_on_error=False)
        counts, costs = (self._numbers(*answer) for answer in zip(_KEYS, found, strict=True))
        today = str(int(now.timestamp() // _DAY))
        runs = (name.split(":", 2)[1:] for name in counts if name.count(":") > 1)
        return Counts(
            runs={(kind, reason): int(counts[f"run:{kind}:{reason}"]) for kind, reason in runs},
            renewals=int(counts.get("renewals", 0)),
            cost_today=costs.get(today, 0),
            cost=sum(costs.values()),
        )

    def _numbers(self, key: str, row: Any) -> dict[str, float]:
        """Those that are some: one that is not costs only itself."""
        if is_error(row):
            if not is_wrong_type(row):
                with self._db.errors():
                    raise row
            self._db.wrong_type(key, _WHAT)
            return {}
        good = {
            name: value
            for name, value in row.items()
            if _number(value) is not None and is_text(name)
        }
        if bad := min(set(row) - set(good), default=""):
            self._db.unreadable.add(key, _WHAT, f"{bad} is no number")
        return {name: float(value) for name, value in good.items()}


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
