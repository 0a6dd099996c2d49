"""What may start now: what the accounts of the fleet's workers take, of which repositories."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cw.breakers import why_held
from cw.models import TaskSpec
from cw.store.store import Store

Takes = Callable[[str, TaskSpec], bool]  # whether a worker may begin with a task now
TakesModel = Callable[[str, str], bool]  # whether a worker's account takes a model now


def everything(_worker: str, _task: TaskSpec | str) -> bool:
    return True


def taking(store: Store, now: datetime) -> Takes:
    """As it is at this moment. Raises BrokerUnavailableError."""
    takes_model, holds = taking_model(store, now), store.breakers.holds()

    def takes(worker: str, task: TaskSpec) -> bool:
        return not why_held(holds, task.key[0], worker) and takes_model(worker, task.model)

    return takes


def taking_model(store: Store, now: datetime) -> TakesModel:
    """The same, of whatever repository."""
    on = {worker.id: worker.account for worker in store.fleet.workers()}
    accounts = store.accounts.read(on.values())

    def takes(worker: str, model: str) -> bool:
        account = accounts.get(on.get(worker, ""))
        return account is None or not account.closed(now, model)

    return takes
