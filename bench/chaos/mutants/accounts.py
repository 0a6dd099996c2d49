"""Guards at the limits of accounts."""

from __future__ import annotations

import json
from typing import Any

from cw.store import keys
from cw.store.accounts import AccountStore, Held
from cw.store.budgets import BudgetStore
from cw.store.tasks import TaskStore


def hold() -> None:
    """A refusal is its own run's affair."""
    AccountStore.hold = _held  # type: ignore[assignment,method-assign]


def _held(_store: AccountStore, _account: str, met: Any) -> Held:
    return Held(True, met.until)


def reservation() -> None:
    """Each turn is granted, whoever else may still use what is left."""
    BudgetStore.draw = lambda *_: None  # type: ignore[method-assign]


def canary() -> None:
    """When a limit is over, everybody goes."""
    acquire = TaskStore.acquire

    def eager(self: TaskStore, task_id: str, **who: Any) -> Any:
        key = keys.account(who["payer"].account)
        for field, text in self._db.client.hgetall(key).items():
            if field.startswith("hold:"):
                self._db.client.hset(key, field, json.dumps(json.loads(text) | {"canary": ""}))
        return acquire(self, task_id, **who)

    TaskStore.acquire = eager  # type: ignore[method-assign,assignment]
