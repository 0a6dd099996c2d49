"""Guards at leases, claims, and what is charged for their loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cw.models import Task
from cw.states import Move, State
from cw.store import keys
from cw.store.lease_values import Grant, Holder, Refusal, Settlement
from cw.store.tasks import TaskStore
from workerhost.host import Host
from workerhost.runs.lease_renewal import Lease


def fence() -> None:
    """Every word about a run is taken, whatever its fence."""
    settle, renew = TaskStore.settle, TaskStore.renew

    def any_settle(self: TaskStore, holder: Holder, settlement: Settlement) -> bool:
        believed = replace(holder, fence=_now(self, holder.task_id))
        return settle(self, believed, settlement)

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


def early_claim() -> None:
    """An issue is claimed until its run begins."""
    acquire = TaskStore.acquire

    def forgetful(self: TaskStore, task_id: str, **who: Any) -> Grant | Refusal:
        granted = acquire(self, task_id, **who)
        task = self.get(task_id)
        if isinstance(granted, Grant) and task and task.spec.issue is not None:
            self._db.client.delete(keys.claim(task.spec.repo, task.spec.issue))
        return granted

    TaskStore.acquire = forgetful  # type: ignore[method-assign,assignment]


def loss() -> None:
    """A run that goes on after its lease had ended stays charged as a loss."""
    adopt = TaskStore.adopt

    def unkind(self: TaskStore, task_id: str, **who: Any) -> int | Refusal:
        before = self.get(task_id)
        answer = adopt(self, task_id, **who)
        given_back = before and before.state is not State.RUNNING and before.losses
        if given_back and not isinstance(answer, Refusal):
            self._db.client.hincrby(keys.task(task_id), "losses", 1)
        return answer

    TaskStore.adopt = unkind  # type: ignore[method-assign,assignment]


def deferral() -> None:
    """A hold that is over is charged as a loss as well."""
    requeue = TaskStore.requeue

    def unkind(self: TaskStore, task: Task, move: Move, *why: Any, **more: Any) -> bool:
        done = requeue(self, task, move, *why, **more)
        if done and move is Move.RELEASE:
            self._db.client.hincrby(keys.task(task.spec.id), "losses", 1)
        return done

    TaskStore.requeue = unkind  # type: ignore[method-assign]


def _true(*_: object, **__: object) -> bool:
    return True
