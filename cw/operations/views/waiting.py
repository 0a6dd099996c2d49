"""Why a queued task does not move, and what to type so that it does. From the overview alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cw.accounts.holds import ALL_MODELS

STARTS = "starts at any moment"

if TYPE_CHECKING:
    from cw.operations.views.rows import Overview, WaitingRow, WorkerRow


@dataclass(frozen=True, slots=True)
class Obstacles:
    """`up`: hosts that answer. `unfit`: those that take nothing, and why. `closed`: workers that
    may not begin with the task, for its repository or their account, and why.
    """

    up: set[str]
    unfit: Mapping[str, str] = field(default_factory=dict)
    closed: Mapping[str, str] = field(default_factory=dict)


def why(
    wanted: str | None, able: list[WorkerRow], task: str, obstacles: Obstacles, place: int = 1
) -> str:
    """Why a queued task does not move. `able`: the workers that may take it. `place` in its line,
    from 1.
    """
    unfit, closed = obstacles.unfit, obstacles.closed
    if not obstacles.up:
        return "no host is running; start one with: cw up"
    if not able and wanted is None:
        return "there is no worker; make one: cw init 01"
    if not able:
        return f"worker {wanted} is gone; make it with: cw init {wanted}"
    awake = [worker for worker in able if worker.state != "offline"]
    if not awake:
        return f"host {able[0].host} is offline" if wanted else "every worker is offline"
    if all(worker.host in unfit for worker in awake):
        return f"host {awake[0].host} takes nothing: {unfit[awake[0].host]}"
    awake = [worker for worker in awake if worker.host not in unfit]
    if wanted:
        return _why_not(awake[0], task, place, closed.get(wanted, ""))
    return _why_nobody(awake, closed, place)


def _why_nobody(awake: list[WorkerRow], closed: Mapping[str, str], place: int) -> str:
    """Why none of the pool's workers takes it now."""
    unpaused = [worker for worker in awake if not worker.paused]
    if not unpaused:
        return "every worker is paused; let them go on with: cw resume --all"
    takes = [worker for worker in unpaused if worker.worker not in closed]
    if not takes:
        return closed[unpaused[0].worker]
    free = [worker for worker in takes if worker.state == "idle"]
    if len(free) >= place:
        return STARTS
    if any(worker.state in {"busy", "idle"} for worker in takes):
        return "every worker is busy" if not free else _behind(place - 1)
    kept = next(worker for worker in takes if worker.about)
    return f"no worker is free: {_kept(kept)}"


def what_next(row: WaitingRow, seen: Overview) -> str:
    """What gets a queued task moving; empty when it moves by itself."""
    up = {host.host for host in seen.hosts if host.state == "up"}
    if not up:
        return "cw up"
    able = [worker for worker in seen.workers if row.worker in {None, worker.worker}]
    if not able:
        return f"cw init {row.worker or '01'}"
    awake = [worker for worker in able if worker.state != "offline"]
    if not awake:
        hosts = sorted({worker.host for worker in able})
        return f"on {' or '.join(hosts)}: cw up"
    if all(worker.paused for worker in awake):
        return f"cw resume {row.worker or '--all'}"
    kept = [worker for worker in awake if worker.state in {"stopped", "crashed"}]
    if row.worker and kept and kept[0].about and kept[0].about.task != row.about.task:
        return f"cw restart {row.worker} or cw reset {row.worker}"
    able = [worker for worker in awake if not worker.paused]
    return _repository_next(row, able, seen) or _account_next(row, able, seen)


def _repository_next(row: WaitingRow, able: list[WorkerRow], seen: Overview) -> str:
    """For a task whose repository is held on each of them."""
    holds = [hold for hold in seen.repositories if hold.repository == row.about.repo]
    held = {hold.worker for hold in holds}
    if not able or not all(held & {None, worker.worker} for worker in able):
        return ""
    return holds[0].next


def _account_next(row: WaitingRow, able: list[WorkerRow], seen: Overview) -> str:
    """For a task whose every worker is on an account that a person has to mend."""
    model = row.about.model
    mended = {
        worker: hold.next
        for account in seen.accounts
        for hold in account.holds
        if hold.next and (hold.models == ALL_MODELS or hold.models in model)
        for worker in account.workers
    }
    if not all(worker.worker in mended for worker in able):
        return ""
    return mended[able[0].worker]


def _why_not(worker: WorkerRow, task: str, place: int, closed: str) -> str:
    """Why this worker does not take this task now."""
    if worker.paused:
        return f"worker {worker.worker} is paused: {worker.paused}; cw resume {worker.worker}"
    about = worker.about
    if closed and (worker.state in {"idle", "held"} or (about and about.task == task)):
        return closed
    if about is not None and about.task == task:
        return STARTS
    if about is None:
        return STARTS if place <= 1 else _behind(place - 1)
    if worker.state == "busy":
        return f"worker {worker.worker} is busy with {about.label}"
    return _kept(worker)


def _behind(tasks: int) -> str:
    return "1 task is before it" if tasks == 1 else f"{tasks} tasks are before it"


def _kept(worker: WorkerRow) -> str:
    """For what a person has to move, or what moves by itself later."""
    label = worker.about.label if worker.about else "a task"
    if worker.state == "held":
        return f"worker {worker.worker} is kept for {label}, which is held and goes on by itself"
    then = f"cw restart {worker.worker} or cw reset {worker.worker}"
    return f"worker {worker.worker} is kept for {label}, which is {worker.state}; {then}"
