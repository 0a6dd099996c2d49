"""A host with one of its guards taken out, to see whether the counts notice: `CW_CHAOS_MUTANT`.

Started by the driver in the place of `workerhost`; product code has no such switch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from cw.store import keys
from cw.store.tasks import TaskStore
from workerhost.host import Host
from workerhost.runs.lease import Lease


def fence() -> None:
    """Every word about a run is taken, whatever its fence."""
    settle, renew = TaskStore.settle, TaskStore.renew

    def any_settle(self: TaskStore, task_id: str, **told: Any) -> bool:
        return settle(self, task_id, **(told | {"fence": _now(self, task_id)}))

    def any_renew(self: TaskStore, task_id: str, _fence: int, ttl: float) -> bool:
        return renew(self, task_id, _now(self, task_id), ttl)

    TaskStore.settle, TaskStore.renew = any_settle, any_renew  # type: ignore[method-assign,assignment]


def _now(store: TaskStore, task_id: str) -> int:
    task = store.get(task_id)
    return task.fence if task else 0


def self_fence() -> None:
    """A holder trusts its lease for ever."""
    keep = Lease.keep
    Lease.keep = lambda self: keep(self) or True  # type: ignore[method-assign]
    Lease._watch = _true  # type: ignore[assignment,method-assign]  # noqa: SLF001


def renewal() -> None:
    """A lease is never made longer."""
    TaskStore.renew = _true  # type: ignore[method-assign]


def sweep() -> None:
    Host.sweep = _true  # type: ignore[assignment,method-assign]


def lease() -> None:
    """Whoever has a message runs it."""
    acquire = TaskStore.acquire

    def any_acquire(self: TaskStore, task_id: str, **who: Any) -> Any:
        with self._db.errors() as client:
            if client.hget(keys.task(task_id), "state") == "running":
                client.hset(keys.task(task_id), mapping={"state": "queued", "worker": ""})
        return acquire(self, task_id, **who)

    TaskStore.acquire = any_acquire  # type: ignore[method-assign,assignment]
    TaskStore.waits_for = _true  # type: ignore[method-assign]


def claim() -> None:
    """Two dispatches of one issue are two tasks."""
    create = TaskStore.create

    def any_create(self: TaskStore, spec: Any, prompt: str) -> None:
        create(self, spec, prompt)
        with self._db.errors() as client:
            client.delete(keys.claim(spec.repo, spec.issue))

    TaskStore.create = any_create  # type: ignore[method-assign]


def _true(*_: object, **__: object) -> bool:
    return True


MUTANTS: dict[str, Callable[[], None]] = {
    "fence": fence,
    "self-fence": self_fence,
    "renewal": renewal,
    "sweep": sweep,
    "lease": lease,
    "claim": claim,
}


def mutate(name: str) -> None:
    if name:
        MUTANTS[name]()


if __name__ == "__main__":
    from workerhost.__main__ import main

    mutate(os.environ["CW_CHAOS_MUTANT"])
    sys.exit(main())
