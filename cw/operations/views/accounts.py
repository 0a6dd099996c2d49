"""What `cw accounts` shows: each account with its workers, how far it is used, why it waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from cw.accounts.holds import ALL_MODELS, HOLDS, Account
from cw.accounts.lifetime import lifetime
from cw.budgets.ceilings import NONE, Amount
from cw.budgets.scopes import account_place
from cw.fleet_models import Worker
from cw.models import Model


class WindowRow(Model):
    window: str  # five_hour, seven_day …
    used: float  # 1 is all of it
    resets_at: datetime | None


class HoldRow(Model):
    models: str  # *: all; else a part of their names
    kind: str  # credential, credit, limit, reserve, overload, failures
    reason: str
    since: datetime
    until: datetime | None  # None: until somebody acts
    trying: bool  # a task finds out whether it is over
    next: str  # what to type; empty: it ends by itself


class AccountRow(Model):
    account: str  # its id, of which no credential can be told
    name: str
    kind: str  # subscription, key, gateway, none
    workers: list[str]
    state: str  # open, held, trying; of some models only: partly
    used: float  # of its fullest window
    windows: list[WindowRow]
    holds: list[HoldRow]
    today_usd: float  # of runs that ended since midnight, UTC
    month_usd: float
    ends_on: date | None  # the year of its token, at the latest; null: it has none that is known
    ending: str  # the same in words, when it is near; else empty
    renew: str  # what to do then


def account_rows(
    accounts: Mapping[str, Account],
    workers: Iterable[Worker],
    now: datetime,
    spent: Mapping[str, Amount],
) -> list[AccountRow]:
    """Of those that have workers, by name. `spent`: by place, see `cw.store.budgets`."""
    on: dict[str, list[Worker]] = {}
    for worker in workers:
        if worker.account in accounts:
            on.setdefault(worker.account, []).append(worker)
    rows = (_row(accounts[one], those, now, spent) for one, those in on.items())
    return sorted(rows, key=lambda row: (row.name, row.account))


def _row(
    account: Account, on: list[Worker], now: datetime, spent: Mapping[str, Amount]
) -> AccountRow:
    workers = sorted(worker.id for worker in on)
    life = lifetime(account, (worker.account_since for worker in on))
    near = life is not None and life.near(now)
    return AccountRow(
        account=account.id,
        name=account.name,
        kind=account.kind,
        workers=workers,
        state=_state(account, now),
        used=account.used,
        windows=[
            WindowRow(window=one.kind, used=one.utilization, resets_at=one.resets_at)
            for one in account.windows
            if one.resets_at is None or one.resets_at > now
        ],
        holds=[
            HoldRow(
                models=hold.scope,
                kind=hold.kind,
                reason=hold.said or HOLDS[hold.kind].words,
                since=hold.since,
                until=hold.until,
                trying=hold.probing,
                next=HOLDS[hold.kind].next.replace("NAME", account.name) if not hold.until else "",
            )
            for hold in account.holds
        ],
        today_usd=spent.get(account_place(account.id, now), NONE).usd,
        month_usd=spent.get(account_place(account.id), NONE).usd,
        ends_on=life.ends_on if life else None,
        ending=life.words(now) if life and near else "",
        renew=life.next(workers) if life and near else "",
    )


def _state(account: Account, now: datetime) -> str:
    whole = [hold for hold in account.holds if hold.scope == ALL_MODELS]
    if any(not hold.due(now) for hold in whole):
        return "held"
    if whole:
        return "trying"
    return "partly" if account.holds else "open"
