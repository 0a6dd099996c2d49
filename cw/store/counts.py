"""What is only ever counted: runs by their end, renewals of leases, dollars a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cw.store import keys
from cw.store.connection import Connection

_DAY = timedelta(days=1).total_seconds()


@dataclass(frozen=True, slots=True)
class Counts:
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
            counts, costs = pipe.execute()
        today = str(int(now.timestamp() // _DAY))
        runs = (name.split(":", 2)[1:] for name in counts if name.startswith("run:"))
        return Counts(
            runs={(kind, reason): int(counts[f"run:{kind}:{reason}"]) for kind, reason in runs},
            renewals=int(counts.get("renewals", 0)),
            cost_today=float(costs.get(today, 0)),
            cost=sum(map(float, costs.values())),
        )
