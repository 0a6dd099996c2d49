"""What may start now: what accounts take, shared ceilings allow, and of which repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from cw.accounts.holds import Account
from cw.breakers import why_held
from cw.budgets.ceilings import Amount
from cw.budgets.scopes import Payers, met
from cw.models import TaskSpec
from cw.store.store import Store

Takes = Callable[[str, TaskSpec], bool]  # whether a worker may begin with a task now
TakesModel = Callable[[str, str], bool]  # whether a worker's account takes a model now


def everything(_worker: str, _task: TaskSpec | str) -> bool:
    return True


def closed(
    worker: str,
    account: Account | None,
    places: Mapping[str, Amount],
    now: datetime,
    model: str,
) -> str:
    """Why nothing of this model begins on a worker, for what it would cost; empty when it may.
    `places`: ceilings that were met, see `cw.store.budgets`.
    """
    held = account.closed(now, model) if account else ""
    if held:
        return held
    payers = Payers(worker, account.id if account else "", account.name if account else "")
    full = met(places, payers, now)
    return full.used_up if full else ""


def taking(store: Store, now: datetime) -> Takes:
    """As it is at this moment. Raises BrokerUnavailableError."""
    takes_model, holds = taking_model(store, now), store.breakers.holds()

    def takes(worker: str, task: TaskSpec) -> bool:
        return not why_held(holds, task.key[0], worker) and takes_model(worker, task.model)

    return takes


def taking_model(store: Store, now: datetime) -> TakesModel:
    """The same, of whatever repository."""
    on = {worker.id: worker.account for worker in store.fleet.workers()}
    accounts, places = store.accounts.read(on.values()), store.budgets.read(now).met

    def takes(worker: str, model: str) -> bool:
        return not closed(worker, accounts.get(on.get(worker, "")), places, now, model)

    return takes
