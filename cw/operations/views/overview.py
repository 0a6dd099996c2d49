"""What `cw status` shows: who does what, what waits and why, what to type next.

`read_fleet` asks the store; `overview` decides, from data and a clock alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cw.accounts.holds import Account
from cw.breakers import RepositoryHold, why_held
from cw.fleet_models import Host, Worker
from cw.models import Event, Task, TaskSpec
from cw.operations.fleet.accounts import closed
from cw.operations.fleet.hosts import host_row, host_warnings
from cw.operations.views.accounts import account_rows
from cw.operations.views.rows import (
    NOTICE,
    About,
    HeldRow,
    Overview,
    RepositoryRow,
    StuckRow,
    UndeliveredRow,
    WaitingRow,
    WorkerRow,
)
from cw.operations.views.waiting import Obstacles, why
from cw.pulls.record import by_state
from cw.states import State
from cw.store.budgets import Ledger
from cw.store.outbox import Effect
from cw.store.unreadable import Unreadable

if TYPE_CHECKING:
    from cw.store.notices import Post
    from cw.store.signed_outbox import Aside
    from cw.store.store import Store

_TEXT_SHOWN = 100  # characters of a comment


_BY_ITSELF = "goes on by itself; at once with:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What the store said at one moment."""

    workers: list[Worker] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)  # by id, of these workers
    ledger: Ledger = field(default_factory=Ledger)
    repositories: list[RepositoryHold] = field(default_factory=list)  # that are held
    hosts: list[Host] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)  # without an outcome, oldest first
    lines: dict[str | None, list[str]] = field(default_factory=dict)  # None: the pool
    last: dict[str, Event] = field(default_factory=dict)  # by task
    warnings: list[str] = field(default_factory=list)
    aside: Sequence[Aside[Effect] | Aside[Post]] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    pulls: dict[str, int] = field(default_factory=dict)  # open ones by state


def read_fleet(store: Store) -> Fleet:
    """Raises BrokerUnavailableError."""
    tasks = store.tasks.open_tasks()
    queued = {task.worker for task in tasks if task.state is State.QUEUED}
    running = [task.spec.id for task in tasks if task.state is State.RUNNING]
    hosts, workers = store.fleet.hosts(), store.fleet.workers()
    read = Fleet(
        workers=workers,
        accounts=store.accounts.read(worker.account for worker in workers),
        ledger=store.budgets.read(store.tasks.now()),
        repositories=store.breakers.holds(),
        hosts=hosts,
        aside=all_aside(store, hosts),
        tasks=tasks,
        lines={worker: store.tasks.waiting(worker) for worker in queued},
        last=store.events.lasts(running),
        pulls=by_state(store.pulls.open()),
        warnings=[*store.server_warnings(), *_too_new(store.tasks.too_new())],
    )
    return replace(read, unreadable=store.connection.unreadable.all())


def _too_new(tasks: list[str]) -> list[str]:
    what = "task was" if len(tasks) == 1 else "tasks were"
    said = f"{len(tasks)} {what} made by a newer cw, and this one leaves them alone: cw update"
    return [said] if tasks else []


def overview(fleet: Fleet, now: datetime) -> Overview:
    up = {host.name for host in fleet.hosts if host.up(now)}
    by_state = {state: [task for task in fleet.tasks if task.state is state] for state in State}
    workers = [_worker(worker, fleet, up, now) for worker in fleet.workers]
    return Overview(
        at=now,
        workers=workers,
        waiting=[_waiting(task, fleet, workers, up, now) for task in by_state[State.QUEUED]],
        held=[_held(task) for task in by_state[State.HELD]],
        stuck=[_stuck(task) for task in (*by_state[State.CRASHED], *by_state[State.STOPPED])],
        undelivered=[undelivered(write) for write in fleet.aside],
        hosts=[host_row(host, fleet.tasks, now) for host in fleet.hosts],
        accounts=tuple(account_rows(fleet.accounts, fleet.workers, now, fleet.ledger.spent)),
        repositories=tuple(map(_repository, fleet.repositories)),
        warnings=_warnings(fleet, up, now),
        unreadable=fleet.unreadable,
        pulls=fleet.pulls,
    )


def about(task: Task) -> About:
    spec = task.spec
    return About(
        task=spec.id,
        label=spec.label,
        repo=spec.repo,
        issue=spec.issue,
        title=spec.headline,
        model=spec.model,
    )


def _worker(worker: Worker, fleet: Fleet, up: set[str], now: datetime) -> WorkerRow:
    task = _task_of(worker, fleet.tasks)
    row = WorkerRow(
        worker=worker.id,
        state=_state(
            worker, task, up, closed=bool(task and _why_closed(worker, fleet, task.spec, now))
        ),
        host=worker.host,
        about=about(task) if task else None,
        paused=worker.paused,
        account=fleet.accounts[worker.account].name if worker.account in fleet.accounts else "",
    )
    if task is None or task.state is not State.RUNNING:
        return row
    return row.model_copy(update=_progress(task, fleet.last.get(task.spec.id), now))


def _task_of(worker: Worker, tasks: list[Task]) -> Task | None:
    """The one it runs or is kept for, else one that it will go on with."""
    kept = next((task for task in tasks if task.spec.id == worker.task), None)
    held = (task for task in tasks if task.worker == worker.id and task.state is State.HELD)
    return kept or next(held, None)


def _state(worker: Worker, task: Task | None, up: set[str], *, closed: bool) -> str:
    """Offline wins, then what a person has to act on, then the pause. `closed`: its account does
    not take its task.
    """
    if worker.host not in up:
        return "offline"
    if task and task.state is State.RUNNING:
        return "busy"
    if task and task.state in {State.STOPPED, State.CRASHED}:
        return task.state.value
    if worker.paused:
        return "paused"
    if task and (task.state is State.HELD or closed):
        return "held"
    return "busy" if task else "idle"


def _progress(task: Task, last: Event | None, now: datetime) -> dict[str, object]:
    elapsed = (now - task.started_at).total_seconds() if task.started_at else None
    before = {"turns": task.spent_turns or None, "cost_usd": task.spent_usd or None}
    if last is None or (task.started_at and last.at < task.started_at):
        return {"elapsed_s": elapsed, **before}
    turns, cost = last.data.get("turns"), last.data.get("spent_usd", last.data.get("cost_usd"))
    return {
        "elapsed_s": elapsed,
        "turns": task.spent_turns + turns if isinstance(turns, int) else before["turns"],
        "cost_usd": task.spent_usd + cost if isinstance(cost, (int, float)) else before["cost_usd"],
        "cost_estimated": task.spent_rough or bool(last.data.get("estimated")),
        "last": last.text,
        "last_at": last.at,
    }


def _waiting(
    task: Task, fleet: Fleet, workers: list[WorkerRow], up: set[str], now: datetime
) -> WaitingRow:
    line = fleet.lines.get(task.worker, [])
    place = line.index(task.spec.id) + 1 if task.spec.id in line else 0
    able = [row for row in workers if task.worker in {None, row.worker}]
    unfit = {host.name: host.unfit for host in fleet.hosts if host.unfit}
    obstacles = Obstacles(up, unfit, _closed(fleet, task.spec, now))
    return WaitingRow(
        about=about(task),
        worker=task.worker,
        place=place,
        since=task.spec.created_at,
        reason=task.reason or why(task.worker, able, task.spec.id, obstacles, max(1, place)),
    )


def _closed(fleet: Fleet, spec: TaskSpec, now: datetime) -> dict[str, str]:
    """Workers that may not begin with it, and why: its repository is held, or their accounts or
    shared ceilings do not allow it.
    """
    found = {worker.id: _why_closed(worker, fleet, spec, now) for worker in fleet.workers}
    return {worker: words for worker, words in found.items() if words}


def _why_closed(worker: Worker, fleet: Fleet, spec: TaskSpec, now: datetime) -> str:
    if held := why_held(fleet.repositories, spec.key[0], worker.id):
        return held
    account = fleet.accounts.get(worker.account)
    return closed(worker.id, account, fleet.ledger.met, now, spec.model)


def _repository(hold: RepositoryHold) -> RepositoryRow:
    return RepositoryRow(
        repository=hold.name,
        worker=hold.worker or None,
        cause=hold.reason,
        since=hold.since,
        reason=hold.why,
        next=hold.next,
    )


def _held(task: Task) -> HeldRow:
    return HeldRow(
        about=about(task),
        worker=task.worker,
        since=task.ended_at,
        until=task.not_before,
        reason=task.reason,
        next="goes on by itself" if task.limited else f"{_BY_ITSELF} cw restart {task.spec.id}",
    )


def _stuck(task: Task) -> StuckRow:
    return StuckRow(
        about=about(task),
        worker=task.worker,
        state=task.state.value,
        since=task.ended_at,
        reason=task.reason,
        next=f"cw restart {task.spec.id}",
    )


def all_aside(store: Store, hosts: Iterable[Host]) -> list[Aside[Effect] | Aside[Post]]:
    """What nobody took, the oldest first."""
    names = [host.name for host in hosts]
    writes = [entry for name in names for entry in store.outbox.aside(name)]
    notices = [entry for name in names for entry in store.notices.aside(name)]
    return sorted([*writes, *notices], key=lambda entry: entry.id)


def undelivered(entry: Aside[Effect] | Aside[Post]) -> UndeliveredRow:
    kind, repo, issue, text = _what(entry.effect)
    return UndeliveredRow(
        id=entry.id,
        host=entry.host,
        kind=kind,
        repo=repo,
        issue=issue,
        text=text.partition("\n")[0][:_TEXT_SHOWN],
        reason=entry.reason,
        tries=entry.tries,
        at=datetime.fromtimestamp(entry.at, UTC),
        next=f"cw outbox --retry {entry.id}, or --drop",
    )


def _what(of: Effect | Post) -> tuple[str, str, int | None, str]:
    if isinstance(of, Effect):
        return of.kind, of.repo, of.issue, of.text
    about = of.notice.repository or of.notice.title  # of an account
    return NOTICE, about, of.notice.issue, of.to


def _warnings(fleet: Fleet, up: set[str], now: datetime) -> list[str]:
    found = list(fleet.warnings)
    found += host_warnings(fleet.hosts, now)
    if fleet.workers and not up:
        found.append("no host is running, so nothing starts; start one with: cw up")
    return found
