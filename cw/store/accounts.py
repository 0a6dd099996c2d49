"""What is stored of accounts: their windows, their holds, and how they go on after one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cw.accounts.holds import ALL_MODELS, Account, Hold, HoldKind, Window
from cw.accounts.identity import Identity
from cw.models import MALFORMED
from cw.notices.notice import Notice
from cw.store import keys
from cw.store.clock import epoch_ms, ms
from cw.store.connection import Connection
from cw.store.notices import posted
from cw.store.unreadable import fault

_UNUSED_MS = 30 * 24 * 3600 * 1000
_HOLD = "hold:"
_MS_DIGITS = 14  # until the year 5138
_SAID = 300  # characters that are kept of what the API said


@dataclass(frozen=True, slots=True)
class Refused:
    """What a run met. `until`: when it is over, None: nobody said. `pauses`: how long to leave the
    API alone after the first, second … refusal, where it is the fleet that decides; after `give_up`
    somebody has to look.
    """

    kind: HoldKind
    task: str
    said: str = ""
    scope: str = ALL_MODELS
    until: datetime | None = None
    pauses: Sequence[timedelta] = ()
    give_up: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Held:
    """`news`: no other task's run has held it for this. `until` None: until somebody acts."""

    news: bool
    until: datetime | None


class AccountStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def tell(
        self,
        worker_id: str,
        account: Identity,
        since: date | None = None,
        first_seen_ms: int | None = None,
    ) -> int | None:
        """Which account a worker is on. To be told again within a month. `since`: when a person
        says that its credential was made; `first_seen_ms`: since when its host has it. Returns
        since when the fleet has one that ends by itself.
        """
        args = [account.id, since or "", account.kind.value, account.name, _UNUSED_MS]
        args += [int(account.yearly), "" if first_seen_ms is None else first_seen_ms]
        names = [keys.worker(worker_id), keys.account(account.id)]
        seen = self._db.run("tell", names, list(map(str, args)))
        return int(seen) if seen else None

    def warn(self, account_id: str, cause: str, host: str, notice: Notice) -> bool:
        """Have this host tell a person. False: that was done, by whichever host."""
        names = [keys.account(account_id), keys.notices(host)]
        return bool(self._db.run("warn", names, [cause, *posted(self._db, host, notice)]))

    def read(self, ids: Iterable[str]) -> dict[str, Account]:
        """Those of these that there are. Raises BrokerUnavailableError."""
        wanted = sorted(set(ids) - {""})
        rows = self._db.hashes(
            [keys.account(one) for one in wanted], [f"account {one}" for one in wanted]
        )
        found = {one: self._account(one, row) for one, row in zip(wanted, rows, strict=True) if row}
        return self._probing(found)

    def hold(self, account_id: str, met: Refused) -> Held:
        """Nothing more is started on it, or of these models, until that is over."""
        pauses = [ms(pause.total_seconds()) for pause in met.pauses]
        args = [
            met.scope,
            met.kind.value,
            met.said[:_SAID],
            epoch_ms(met.until) if met.until else "",
            met.task,
            json.dumps(pauses),
            ms(met.give_up.total_seconds()),
        ]
        news, until = self._db.run("hold", [keys.account(account_id)], args)
        moment = datetime.fromtimestamp(int(until) / 1000, UTC) if until else None
        return Held(bool(news), moment)

    def heard(self, account_id: str, task_id: str, spread: float, workers: int) -> bool:
        """The model answered this task. Whether that ended a hold; then as many starts as it has
        `workers` are `spread` seconds apart.
        """
        args = [task_id, ms(spread), workers]
        return bool(self._db.run("heard", [keys.account(account_id)], args))

    def resume(self, account_id: str, *, mended: bool = False) -> int:
        """Somebody says that all is well: the next task tries it. `mended`: only what waited for
        that somebody. Returns how many holds there were.
        """
        return int(self._db.run("resume", [keys.account(account_id)], [int(not mended)]))

    def met(self, account_id: str, windows: Iterable[Window]) -> None:
        """How far its windows are used up, as the API just said."""
        rows = json.dumps([window.model_dump(mode="json") for window in windows])
        with self._db.errors() as client:
            client.hset(keys.account(account_id), "windows", rows)

    def _account(self, account_id: str, row: dict[str, str]) -> Account:
        """Of what cannot be read nothing counts: the next run finds out."""
        key = keys.account(account_id)
        holds = (text for field, text in row.items() if field.startswith(_HOLD))
        try:
            found = Account(
                id=account_id,
                kind=row.get("kind", ""),
                name=row.get("name") or account_id,
                windows=tuple(Window.model_validate(one) for one in _list(row.get("windows"))),
                holds=tuple(Hold.model_validate_json(text) for text in holds),
                not_before=row.get("not_before", ""),
                first_seen=_digits(row.get("first_seen")),
                warned=row.get("warned", ""),
            )
        except MALFORMED as error:
            self._db.unreadable.add(key, f"account {account_id}", fault(error))
            return Account(id=account_id, name=account_id)
        self._db.unreadable.well(key)
        return found

    def _probing(self, accounts: dict[str, Account]) -> dict[str, Account]:
        """With whether the canaries have their leases."""
        canaries = sorted(
            {hold.canary for one in accounts.values() for hold in one.holds if hold.canary}
        )
        if not canaries:
            return accounts
        with self._db.errors() as client:
            now = sum(part * unit for part, unit in zip(client.time(), (1000, 0.001), strict=True))
            scores = client.zmscore(keys.LEASES, canaries)
        alive = {one for one, score in zip(canaries, scores, strict=True) if (score or 0) > now}
        return {name: _with(account, alive) for name, account in accounts.items()}


def _with(account: Account, alive: set[str]) -> Account:
    holds = [hold.model_copy(update={"probing": hold.canary in alive}) for hold in account.holds]
    return account.model_copy(update={"holds": tuple(holds)})


def _digits(text: str | None) -> str:
    """It is told again where it is nonsense: no reason to leave the rest unread."""
    return text if text and text.isdecimal() and len(text) <= _MS_DIGITS else ""


def _list(text: str | None) -> list[object]:
    found = json.loads(text or "[]")
    return found if isinstance(found, list) else []
