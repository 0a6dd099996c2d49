"""The sweep: what was lost on the way gets moving again. Safe to run anywhere, at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from cw.models import Task, TaskSpec
from cw.operations.fleet.accounts import Takes, everything, taking
from cw.operations.fleet.tags import other_with
from cw.operations.rest.end import give_up
from cw.operations.rest.writes import unlabel
from cw.settings import Settings
from cw.states import Move, State
from cw.store.mending import mend
from cw.store.store import Store

Hint = Callable[[TaskSpec, str | None], None]
Guard = Callable[[str], AbstractContextManager[None]]
Ready = Mapping[str, str]  # worker -> the task it is kept for, or nothing


class Action(Enum):
    HINT = "send its hint again"
    RELEASE = "its hold is over"
    EXPIRE = "its lease ended; run it again"
    LOSE = "its lease ended once too often"
    REROUTE = "its worker's host is lost; give it to others"
    PARK = "its lease ended, and somebody had asked for a stop"


_OF_A_LEASE = {Action.EXPIRE, Action.LOSE, Action.PARK}


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, by task id."""

    hinted: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    rerouted: tuple[str, ...] = ()
    parked: tuple[str, ...] = ()


def decide(
    task: Task,
    now: datetime,
    ready: Ready,
    settings: Settings,
    lost: Collection[str] = (),
    takes: Takes = everything,
) -> Action | None:
    """Pure. What this task needs to get moving. `lost`: workers whose tasks others may take."""
    if task.too_new:
        return None
    if task.state is State.QUEUED and task.line in lost:
        return Action.REROUTE
    if task.state is State.HELD and (task.not_before is None or task.not_before <= now):
        return Action.RELEASE
    if task.state is State.RUNNING and task.lease_until and task.lease_until < now:
        if task.stop_wanted:
            return Action.PARK
        return Action.EXPIRE if task.losses + 1 < settings.max_attempts else Action.LOSE
    if task.state is State.QUEUED and _could_start(task, ready, takes):
        stale = timedelta(seconds=settings.sweep_every)
        # A fresh one is on its way; right after dispatch it may still be between claim and hint.
        # One from the future was sent before the broker's clock was set back.
        age = abs(now - task.hinted_at) if task.hinted_at else now - task.spec.created_at
        return Action.HINT if age >= stale else None
    return None


def _unguarded(_task: str) -> AbstractContextManager[None]:
    return nullcontext()


def sweep(
    store: Store,
    hint: Hint,
    settings: Settings,
    *,
    leases_end: bool = True,
    guard: Guard = _unguarded,
) -> Swept:
    """One pass over the open tasks. `leases_end`: not after the broker's clock jumped, until
    whoever lives has had time to renew. `guard`: for what is odd about one task, by its id.
    Raises BrokerUnavailableError.
    """
    mend(store)
    now = store.tasks.now()
    ready, takes = ready_workers(store, now), taking(store, now)
    may_reroute = leases_end and settings.lost_host == "redispatch"
    lost = lost_workers(store, now, settings) if may_reroute else set()
    done: dict[Action, list[str]] = {action: [] for action in Action}
    hints: Counter[str | None] = Counter()
    for task in store.tasks.open_tasks():
        action = decide(task, now, ready, settings, lost, takes)
        if action in _OF_A_LEASE and not leases_end:
            continue
        if action is Action.HINT:
            line = task.line
            hints[line] += 1
            if hints[line] > (1 if line else len(ready)):
                continue  # whoever waits further back is hinted when its turn comes
        with guard(task.spec.id):
            if action and _carry_out(action, task, store, hint, now, settings.host_name):
                done[action].append(task.spec.id)
    store.tasks.trim(settings.history_limit)
    store.pulls.trim(settings.history_limit)
    return Swept(*(tuple(done[action]) for action in Action))


def hint_next(store: Store, hint: Hint, worker: str, takes: Takes = everything) -> str | None:
    """An identity became idle: if the first task it could take has no hint under way, send one."""
    now = store.tasks.now()
    for line in (worker, None):
        task = store.tasks.next_waiting(line, lambda task: takes(worker, task.spec))
        if task and task.hinted_at is None:
            hint(task.spec, line)
            store.tasks.mark_hinted(task.spec.id, now)
            return task.spec.id
    return None


def ready_workers(store: Store, now: datetime) -> dict[str, str]:
    """Workers that could start something now, and the one task each is kept for, if any."""
    up = {host.name for host in store.fleet.hosts() if host.up(now) and not host.unfit}
    found = [worker for worker in store.fleet.workers() if worker.host in up and not worker.paused]
    return {worker.id: worker.task or "" for worker in found}


def lost_workers(store: Store, now: datetime, settings: Settings) -> set[str]:
    """Those of hosts that were silent for longer than any lease of theirs can last. One that was
    stopped on purpose is not lost.
    """
    lease = timedelta(seconds=settings.lease_ttl)
    lost = {
        host.name for host in store.fleet.hosts() if host.seen_at and now - host.seen_at > lease
    }
    silent = {host.name for host in store.fleet.hosts() if not host.up(now)} & lost
    return {worker.id for worker in store.fleet.workers() if worker.host in silent}


def _could_start(task: Task, ready: Ready, takes: Takes) -> bool:
    wanted, spec = task.line, task.spec
    if wanted:
        return ready.get(wanted, "-") in {"", spec.id} and takes(wanted, spec)
    return any(not kept and takes(worker, spec) for worker, kept in ready.items())


def _carry_out(
    action: Action, task: Task, store: Store, hint: Hint, now: datetime, host: str
) -> bool:
    if action is Action.EXPIRE:
        return store.tasks.requeue(task, Move.EXPIRE, "its host fell silent")
    if action is Action.LOSE:
        return give_up(store, task, f"its host fell silent {task.attempt} times", host)
    if action is Action.REROUTE:
        to = other_with(store, task.spec.tag) if task.spec.tag else None
        if (task.spec.tag and to is None) or not store.tasks.reroute(task, to):
            return False
        store.outbox.add(host, unlabel(task))
        task = task.model_copy(
            update={"worker": to, "spec": task.spec.model_copy(update={"wanted_worker": to})}
        )
    if action is Action.PARK:
        reason = f"its host fell silent after {task.stop_wanted} had asked for a stop"
        return store.tasks.requeue(task, Move.STOP, reason)
    if action is Action.RELEASE and not store.tasks.requeue(task, Move.RELEASE):
        return False
    hint(task.spec, task.line)
    store.tasks.mark_hinted(task.spec.id, now)
    return True
