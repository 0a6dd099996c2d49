"""The end of a task that no host has: closed by a person or by its issue, or given up as lost."""

from __future__ import annotations

from datetime import UTC, datetime

from cw.models import Outcome, Task
from cw.notices.notice import Notice
from cw.operations.rest.notices import End, notice_of
from cw.operations.rest.writes import on_outcome, unblocked, unlabel
from cw.reasons import Reason
from cw.states import Move, OutcomeKind, State
from cw.store.notices import Told
from cw.store.store import Store


def end(store: Store, task: Task, outcome: Outcome, *, host: str, labelled: bool = True) -> bool:
    """For good: its claim, its worker and its label are given back, in one step. `host`: whose
    outboxes get what follows; not `labelled`: whoever asks has seen to the issue's labels.
    False: it runs, or has ended.
    """
    off = unlabel(task) if labelled else []
    notice = _notice(task, outcome, Move.CLOSE)
    return store.tasks.close(task, outcome, Told(off, host, notice))


def give_up(store: Store, task: Task, why: str, teller: str) -> bool:
    """As a host does with a run whose processes disappeared once too often: the task is crashed,
    and its issue says so. `teller`: the host that tells people, as the task's own fell silent.
    False: it is not this lease's any more, or a host has spoken.
    """
    outcome = Outcome(kind=OutcomeKind.FAILED, reason=Reason.LOST, message=why, branch=task.branch)
    host, worker = outbox_host(store, task), task.worker or ""
    effects = on_outcome(task.spec, worker, task.attempt, outcome, "") if host else []
    told = Told(effects, host, _notice(task, outcome, Move.LOSE), teller)
    return store.tasks.requeue(task, Move.LOSE, why, told=told)


def _notice(task: Task, outcome: Outcome, move: Move) -> Notice | None:
    end = End(task.spec, task.worker or "", task.attempt, outcome, move)
    return notice_of(end, datetime.now(UTC))


def taken_back(store: Store, was: Task | None, host: str) -> None:
    """A host has a run again that was given up as lost: the issue does not wait for a person."""
    if was and was.state is State.CRASHED:
        store.outbox.add(host, unblocked(was.spec, was.worker or ""))


def outbox_host(store: Store, task: Task) -> str:
    """Whose outbox gets the writes: the task's host, its worker's, else any; empty: no host."""
    if task.host:
        return task.host
    worker = store.fleet.worker(task.worker) if task.worker else None
    if worker and worker.host:
        return worker.host
    now = store.tasks.now()
    hosts = sorted(store.fleet.hosts(), key=lambda host: not host.up(now))
    return hosts[0].name if hosts else ""
