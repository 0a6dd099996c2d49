"""What runs have spent by worker, account and fleet, and what running ones may still use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import isfinite

from cw.budgets.ceilings import Amount
from cw.budgets.scopes import Payers, Scope, month, places
from cw.store import keys
from cw.store.connection import Connection

KEPT_MS = 62 * 24 * 3600 * 1000
_FULL = "full:"
_HOST = "host:"  # what is kept of each: the end of its first run that was recorded, whether counted
_WHAT = "what runs have spent"


@dataclass(frozen=True, slots=True)
class Ledger:
    """Of a month. `spent`: by place, see `cw.budgets.scopes`. `met`: ceilings that were, by place:
    nothing begins below one before it is raised or begins anew.
    """

    spent: dict[str, Amount] = field(default_factory=dict)
    met: dict[str, Amount] = field(default_factory=dict)


class BudgetStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def draw(
        self,
        task_id: str,
        payers: Payers,
        scopes: Sequence[Scope],
        spent: Amount,
        wanted: Amount,
        now: datetime,
    ) -> Scope | None:
        """A running task says what it took so far, and what it wants to have taken after its next
        turn. Returns the ceiling below which that does not fit any more.
        """
        args = [
            task_id,
            scopes_json(scopes),
            json.dumps(places(payers, now)),
            json.dumps(asdict(spent)),
            json.dumps(asdict(wanted)),
        ]
        names = [keys.RESERVED, keys.spent(month(now)), keys.LEASES]
        answer = self._db.run("draw", names, args)
        return None if answer[0] else scopes[int(answer[1]) - 1]

    def recount(
        self,
        host: str,
        now: datetime,
        archived: Callable[[datetime | None], Mapping[str, Amount]],
    ) -> bool:
        """A broker that was emptied learns what this host's runs of the month took. `archived`: by
        place, of runs that ended before a moment (None: of all). False: it knows.
        """
        key = keys.spent(month(now))
        with self._db.errors() as client:
            counted, since = client.hmget(key, f"{_HOST}{host}:counted", f"{_HOST}{host}:since")
        if counted:
            return False
        before = None if _number(since or "") is None else _moment(float(since))
        sums = {place: asdict(amount) for place, amount in archived(before).items()}
        return bool(self._db.run("recount", [key], [host, json.dumps(sums), KEPT_MS]))

    def read(self, now: datetime) -> Ledger:
        """Of the month. What is no number there counts for nothing, and is named."""
        key = keys.spent(month(now))
        row = self._db.hashes([key], [_WHAT])[0] or {}
        spent: dict[str, dict[str, float]] = {}
        met: dict[str, dict[str, float]] = {}
        bad = ""
        for name, text in row.items():
            if name.startswith(_HOST):
                continue
            place, _, unit = name.removeprefix(_FULL).rpartition(":")
            number = _number(text)
            if number is None or unit not in {"usd", "turns", "s"}:
                bad = bad or name
                continue
            into = met if name.startswith(_FULL) else spent
            into.setdefault(place, {})[unit] = number
        if bad:
            self._db.unreadable.add(key, _WHAT, f"{bad} is no number")
        else:
            self._db.unreadable.well(key)
        return Ledger(_amounts(spent), _amounts(met))


def scopes_json(scopes: Sequence[Scope]) -> str:
    """As the scripts take them."""
    return json.dumps([{"place": scope.place, **asdict(scope.ceiling)} for scope in scopes])


def _amounts(rows: dict[str, dict[str, float]]) -> dict[str, Amount]:
    return {
        place: Amount(row.get("usd", 0.0), int(row.get("turns", 0)), row.get("s", 0.0))
        for place, row in rows.items()
    }


def _moment(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
