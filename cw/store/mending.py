"""What is of another type than it has to be serves nobody: it is put aside, never deleted. Lists
are made anew from what else names their tasks; records are set aside when a person says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cw.breakers import RepositoryHold
from cw.budgets.scopes import month
from cw.models import MALFORMED, Task
from cw.names import FLEET_QUEUE, POOL_QUEUE, host_queue, is_task_id, worker_queue
from cw.states import OPEN as UNFINISHED
from cw.states import State
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.connection import ASIDE_MS, is_error

if TYPE_CHECKING:
    from cw.store.store import Store

log = logging.getLogger("cw.store")

_SHARED = (
    keys.OPEN,
    keys.DONE,
    keys.LEASES,
    keys.HOLDS,
    keys.WORKERS,
    keys.HOSTS,
    keys.FINISHED,
    keys.PULLS,
    keys.PULLS_ENDED,
    keys.PULLS_NEW,
    keys.REPOSITORIES,
    keys.RESERVED,
    keys.AUDIT,
    keys.COUNTS,
    keys.COSTS,
    keys.FENCE,
    keys.GITHUB_BUDGET,
)


def mend(store: Store) -> tuple[str, ...]:
    """What everybody uses, and cannot be used. Returns the keys that were put aside. Safe to run
    anywhere, at any time. Raises BrokerUnavailableError.
    """
    workers = [worker.id for worker in store.fleet.workers()]
    lines = [keys.waiting(worker) for worker in (*workers, None)]
    hosts = [host.name for host in store.fleet.hosts()]
    outboxes = [make(host) for host in hosts for make in (keys.outbox, keys.notices)]
    ledger = keys.spent(month(store.tasks.now()))
    wrong = [*_wrong(store, [*_SHARED, ledger, *lines, *outboxes]), *_queues(store, workers)]
    for key in wrong:
        log.error("put aside, as it is of another type than it has to be: %s", key)
        store.connection.set_aside(key)
    if keys.FENCE in wrong:
        _count_on(store)
    if wrong:
        _list_again(store, workers)
    return tuple(wrong)


def _is_shared(key: str) -> bool:
    return key in _SHARED or key.startswith(keys.spent(""))


def set_aside_unreadable(store: Store) -> tuple[str, ...]:
    """All that this process came upon. Returns what it was."""
    done = []
    for key, record in zip(
        store.connection.unreadable.keys(), store.connection.unreadable.all(), strict=True
    ):
        if key.startswith(_TASK):
            _set_task_aside(store, key)
        elif keys.type_of(key) and not _is_shared(key):  # a list with one bad number is not moved
            store.connection.set_aside(key)
            _forget_name(store, key)
        else:
            _drop_bad_fields(store, key)
        store.connection.unreadable.well(key)
        done.append(record.what)
    return tuple(done)


_TASK = keys.task("")


def _wrong(store: Store, names: list[str]) -> list[str]:
    """Those that are there and of another type."""
    kinds = _types(store, names)
    wrong = [name for name, kind in kinds.items() if kind not in {"none", keys.type_of(name)}]
    if kinds.get(keys.FENCE) == "string":
        with store.connection.errors() as client:
            text = client.get(keys.FENCE) or "0"
        wrong += [] if text.isascii() and text.isdigit() else [keys.FENCE]
    return wrong


def _queues(store: Store, workers: list[str]) -> list[str]:
    """Celery's: a consumer ends when one of its queues is no list."""
    hosts = [host_queue(host.name) for host in store.fleet.hosts()]
    names = [POOL_QUEUE, FLEET_QUEUE, *map(worker_queue, workers), *hosts]
    return [name for name, kind in _types(store, names).items() if kind not in {"none", "list"}]


def _types(store: Store, names: list[str]) -> dict[str, str]:
    """A broker's user that may not look at one of them has no business with it."""
    with store.connection.errors() as client:
        pipe = client.pipeline(transaction=False)
        for name in names:
            pipe.type(name)
        kinds = pipe.execute(raise_on_error=False)
    return {name: kind for name, kind in zip(names, kinds, strict=True) if not is_error(kind)}


def _count_on(store: Store) -> None:
    """More than any fence that was ever given: there are fewer runs than milliseconds."""
    with store.connection.errors() as client:
        client.set(keys.FENCE, time.time_ns() // 1_000_000, nx=True)


def _list_again(store: Store, workers: list[str]) -> None:
    """Each list from the others that name its tasks, and from the records."""
    known = _named(store, workers)
    tasks = [task for task_id in sorted(known) if (task := store.tasks.get(task_id))]
    with store.connection.errors() as client:
        pipe = client.pipeline(transaction=True)
        for task in tasks:
            for key, score in _places(task):
                pipe.zadd(key, {task.spec.id: score}, nx=True)
        done = [task for task in tasks if task.state is State.DONE and task.spec.issue is not None]
        for task in sorted(done, key=_end, reverse=True):
            name = keys.issue(task.spec.repo, task.spec.issue or 0)
            pipe.hsetnx(keys.FINISHED, name, task.spec.id)
        for worker in store.fleet.workers():
            pipe.sadd(keys.WORKERS, worker.id)
        pipe.execute()


def _named(store: Store, workers: list[str]) -> set[str]:
    found: set[str] = set()
    lists = [keys.OPEN, keys.DONE, keys.LEASES, keys.HOLDS, *map(keys.waiting, (*workers, None))]
    for key in lists:
        found |= set(_asked(store, key, lambda client, key=key: client.zrange(key, 0, -1)))
    found |= set(_asked(store, keys.FINISHED, lambda client: client.hvals(keys.FINISHED)))
    found |= {worker.task for worker in store.fleet.workers() if worker.task}
    return {task_id for task_id in found if is_task_id(task_id)}


def _asked(store: Store, key: str, call: Any) -> Iterable[str]:
    found: Iterable[str] = store.connection.ask(key, key, call, [])
    return found


def _places(task: Task) -> list[tuple[str, int]]:
    """Where its id belongs, with what it is sorted by."""
    made = epoch_ms(task.spec.created_at)
    if task.state not in UNFINISHED:
        return [(keys.DONE, epoch_ms(task.ended_at) if task.ended_at else made)]
    places = [(keys.OPEN, made)]
    if task.state is State.QUEUED:
        places.append((keys.waiting(task.line), made))
    if task.state is State.RUNNING and task.lease_until:
        places.append((keys.LEASES, epoch_ms(task.lease_until)))
    if task.state is State.HELD:
        places.append((keys.HOLDS, epoch_ms(task.not_before) if task.not_before else made))
    return places


def _end(task: Task) -> int:
    return epoch_ms(task.ended_at) if task.ended_at else 0


def _set_task_aside(store: Store, key: str) -> None:
    workers = [worker.id for worker in store.fleet.workers()]
    lists = [keys.OPEN, keys.DONE, keys.LEASES, keys.HOLDS, *map(keys.waiting, (*workers, None))]
    task_id = key.removeprefix(_TASK)
    place = keys.aside(key, time.time_ns() // 1_000_000)
    store.connection.run("aside", [key], [task_id, place, ASIDE_MS, *lists])


def _forget_name(store: Store, key: str) -> None:
    """A host that lives, and a worker whose HOME lies somewhere, come back by themselves."""
    with store.connection.errors() as client:
        client.srem(keys.WORKERS, key.removeprefix(keys.worker("")))
        client.srem(keys.HOSTS, key.removeprefix(keys.host("")))


def _drop_bad_fields(store: Store, key: str) -> None:
    """Of numbers that are only counted, of what GitHub said, and of repositories that are held."""
    with store.connection.errors() as client:
        if keys.type_of(key) != "hash" or client.type(key) != "hash":
            return
        bad = [name for name, value in client.hgetall(key).items() if not _is_plain(key, value)]
        if bad:
            client.hdel(key, *bad)


def _is_plain(key: str, value: str) -> bool:
    if key == keys.GITHUB_BUDGET:
        return False  # GitHub's next answer says it again
    try:
        if key == keys.REPOSITORIES:
            RepositoryHold.model_validate_json(value)
        else:
            float(value)
    except MALFORMED:
        return False
    return True
