"""`cw accounts --resume`: somebody says that an account may be tried again."""

from __future__ import annotations

from collections.abc import Sequence

from cw.accounts.holds import OF_REASON, Account
from cw.errors import BadInputError
from cw.models import Task
from cw.operations.control.shared import Control, poke_all
from cw.states import Move, State
from cw.store.store import Store


def found(store: Store, names: Sequence[str]) -> list[Account]:
    """Those that are meant, by name or by the beginning of an id. Raises BadInputError."""
    known = store.accounts.read(worker.account for worker in store.fleet.workers())
    return [_found(list(known.values()), name) for name in names]


def resume(control: Control, accounts: Sequence[Account]) -> None:
    """One task of each tries it at once; the others follow when the model answers."""
    store = control.store
    workers = store.fleet.workers()
    for account in accounts:
        store.accounts.resume(account.id)
        store.breakers.forgive("account", account.id)
        ids = {worker.id for worker in workers if worker.account == account.id}
        for task in store.tasks.open_tasks():
            if _waits(task, ids):
                store.tasks.requeue(task, Move.RESTART)
        poke_all(control, [worker.host for worker in workers if worker.id in ids])


def _waits(task: Task, workers: set[str]) -> bool:
    """Put off with its account, until a time."""
    reason = task.outcome.reason if task.outcome else ""
    return task.state is State.HELD and task.worker in workers and reason in OF_REASON


def _found(known: list[Account], name: str) -> Account:
    by_name = [account for account in known if account.name == name]
    meant = by_name or [account for account in known if name and account.id.startswith(name)]
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(sorted({account.name for account in known})) or "none yet"
    if not meant:
        raise BadInputError(f"there is no account {name}", hint=f"Known: {names}")
    ids = ", ".join(sorted(account.id for account in meant))
    raise BadInputError(f"{len(meant)} accounts are meant by {name}", hint=f"Give an id: {ids}")
