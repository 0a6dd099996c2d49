"""What the accounts of the fleet's workers take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cw.store.store import Store

Takes = Callable[[str, str], bool]  # whether a worker's account takes a model now


def everything(_worker: str, _model: str) -> bool:
    return True


def taking(store: Store, now: datetime) -> Takes:
    """As it is at this moment. Raises BrokerUnavailableError."""
    on = {worker.id: worker.account for worker in store.fleet.workers()}
    accounts = store.accounts.read(on.values())

    def takes(worker: str, model: str) -> bool:
        account = accounts.get(on.get(worker, ""))
        return account is None or not account.closed(now, model)

    return takes
