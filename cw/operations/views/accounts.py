"""What `cw accounts` shows: each account with its workers, how far it is used, why it waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from cw.accounts.holds import ALL_MODELS, HOLDS, Account
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


def account_rows(
    accounts: Mapping[str, Account], workers: Iterable[Worker], now: datetime
) -> list[AccountRow]:
    """Of those that have workers, by name."""
    on: dict[str, list[str]] = {}
    for worker in workers:
        if worker.account in accounts:
            on.setdefault(worker.account, []).append(worker.id)
    rows = (_row(accounts[one], sorted(ids), now) for one, ids in on.items())
    return sorted(rows, key=lambda row: (row.name, row.account))


def _row(account: Account, workers: list[str], now: datetime) -> AccountRow:
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
    )


def _state(account: Account, now: datetime) -> str:
    whole = [hold for hold in account.holds if hold.scope == ALL_MODELS]
    if any(not hold.due(now) for hold in whole):
        return "held"
    if whole:
        return "trying"
    return "partly" if account.holds else "open"
