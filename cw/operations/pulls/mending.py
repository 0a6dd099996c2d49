"""Repairs as a pass orders, follows and ends them. Each is ordered in the record of its pull
request first, then recorded as a task: what was cut off in between is ordered anew, never twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from cw.errors import ClaimedError
from cw.models import Task, TaskSpec
from cw.names import new_task_id
from cw.operations.control.closing import ending
from cw.operations.pulls.replies import replies
from cw.operations.pulls.reruns import run_again
from cw.operations.pulls.telling import gave_up
from cw.operations.rest.end import end, outbox_host
from cw.pulls.begin import key_of
from cw.pulls.early_ends import mark
from cw.pulls.next_step import Bounds, GiveUp, Mend, Wait, next_step
from cw.pulls.order import adopted, not_ordered, ordered, repair_of, worker_for
from cw.pulls.read import unwanted
from cw.pulls.record import MENDABLE, Cause, PullRecord, UnderWay
from cw.pulls.repaired import repaired
from cw.pulls.states import PullState
from cw.reasons import Reason
from cw.states import State

if TYPE_CHECKING:
    from cw.fleet_models import Host, Worker
    from cw.forges.watched import Look
    from cw.operations.passes.context import PassContext
    from cw.pulls.verdict import Verdict
    from cw.pulls.wants import Wants
    from cw.settings import Settings
    from cw.store.outbox import Effect

_OVER = frozenset({State.STOPPED, State.CRASHED})  # goes on no more by itself
_MOST_RERUN = 20
_FORGOTTEN = "the task that made it is forgotten, so that nothing is mended"


@dataclass(frozen=True, slots=True)
class Followed:
    """`at`: what its repair is at, in words; empty: there is none. `effects`: what follows from the
    end of one.
    """

    record: PullRecord
    at: str = ""
    effects: Sequence[Effect] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """`spec`: a repair or a reading that is to be recorded once the record says so, with this
    `prompt`.
    """

    record: PullRecord
    effects: tuple[Effect, ...] = ()
    spec: TaskSpec | None = None
    prompt: str = ""


class Mender:
    """Of one pass. `tasks`: all open ones. Raises BrokerUnavailableError and
    GitHubUnavailableError.
    """

    def __init__(self, ways: PassContext, tasks: Iterable[Task], now: datetime) -> None:
        self._ways = ways
        self._store = ways.store
        self._now = now
        self._tasks = {task.spec.id: task for task in tasks if task.spec.of_pull}
        self._open = {key_of(task): task for task in self._tasks.values() if task.spec.repair}

    def followed(self, record: PullRecord) -> Followed:
        """The record as its repair has come to be."""
        known = self._open.get(record.key)
        if known and (record.repair is None or record.repair.task != known.spec.id):
            record = adopted(record, known)
        if record.repair is None:
            return Followed(record)
        task = known or self._store.tasks.get(record.repair.task)
        if task is None:
            return Followed(not_ordered(record))
        if task.state is State.DONE:
            return Followed(repaired(record, task), effects=replies(record, task))
        most = self._ways.settings.pulls_repairs
        return Followed(record, _at(record, record.repair, task, most))

    def decide(self, record: PullRecord, verdict: Verdict, look: Look, wants: Wants) -> Decided:
        """What is done about what the look has found."""
        if not any(cause in MENDABLE for cause in verdict.causes):
            return Decided(record=record)
        author = self._store.tasks.get(record.task)
        bounds = bounds_of(self._ways.settings, author)
        step = next_step(record, verdict, bounds, self._others(), self._now)
        if isinstance(step, Mend) and author is None:
            step = GiveUp(step.cause, _FORGOTTEN)
        if isinstance(step, Wait):
            return Decided(record=_waiting(record, PullState.WATCHING, step.words))
        if isinstance(step, GiveUp):
            return self._given_up(record, step)
        if isinstance(step, Mend) and author:
            return self._mended(record, step.cause, look, wants, author.spec)
        return Decided(record=record)

    def record(self, spec: TaskSpec, prompt: str) -> None:
        """What was decided, as a task that a host may take. Where the issue has another one by now,
        or the broker goes away, the next pass sees to it.
        """
        try:
            self._store.tasks.create(spec, prompt)
        except ClaimedError:
            return
        self._ways.hint(spec)
        self._store.tasks.mark_hinted(spec.id, self._store.tasks.now())

    def tidy(self) -> None:
        """No repair or reading goes on whose pull request is over, or a person's, or wants none any
        more; and what a person stopped, or was lost too often, is over.
        """
        for task in self._tasks.values():
            key = key_of(task)
            record = self._store.pulls.get(key) if key else None
            if record is None:
                continue  # a broker that forgot it will be told
            theirs = (
                not record.open or record.state is PullState.HANDS_OFF or unwanted(record, task)
            )
            if task.state is State.RUNNING:
                if theirs and not task.stop_wanted:
                    self._store.tasks.want_stop(task, f"{self._ways.by}: {record.state.value}")
            elif theirs or task.state in _OVER:
                self._end(task, theirs=theirs)

    def _end(self, task: Task, *, theirs: bool) -> None:
        if theirs:
            outcome = ending(task, Reason.REPAIR_OVER, self._ways.by)
        elif task.state is State.CRASHED and task.outcome:
            outcome = task.outcome
        else:
            outcome = ending(task, Reason.STOPPED, task.stop_wanted or "a person")
            outcome = outcome.model_copy(update={"message": task.reason or outcome.message})
        end(self._store, task, outcome, host=outbox_host(self._store, task))

    def _others(self) -> Iterable[PullRecord]:
        """As they are now: this pass may have ordered repairs of some."""
        yield from self._store.pulls.open()

    def _given_up(self, record: PullRecord, step: GiveUp) -> Decided:
        told = record.model_copy(update={"waits": f"{record.waits}; {step.words}"})
        told, effects = gave_up(told, step.cause, step.words)
        return Decided(record=told, effects=tuple(effects))

    def _mended(
        self, record: PullRecord, cause: Cause, look: Look, wants: Wants, author: TaskSpec
    ) -> Decided:
        if cause is Cause.CHECKS:
            again = run_again(self._ways.github, self._store.github, record, look)
            if again:
                names = ", ".join(again)
                words = f"run again, as it ended early and not on what is changed: {names}"
                marks = (*record.rerun, *(mark(name, look.glance.head) for name in again))
                found = _waiting(record, PullState.CHECKING, words)
                return Decided(record=found.model_copy(update={"rerun": marks[-_MOST_RERUN:]}))
        task_id = new_task_id(int(self._now.timestamp() * 1000), secrets.randbits)
        repair = UnderWay(task=task_id, cause=cause, head=look.glance.head, at=self._now)
        order = ordered(record, repair)
        worker = worker_for(order, self._workers, self._hosts, self._now)
        spec = repair_of(order, repair, look, wants, author, worker)
        words = f"a repair of it waits for {_line(worker)}"
        return Decided(record=_waiting(order, PullState.REPAIRING, words), spec=spec)

    @cached_property
    def _workers(self) -> list[Worker]:
        return self._store.fleet.workers()

    @cached_property
    def _hosts(self) -> Mapping[str, Host]:
        return {host.name: host for host in self._store.fleet.hosts()}


def bounds_of(settings: Settings, author: Task | None) -> Bounds:
    """`author`: the task that made the pull request."""
    ceiling = settings.task_ceiling
    return Bounds(
        repairs=settings.pulls_repairs,
        life=timedelta(days=settings.pulls_days),
        ceiling=author.spec.ceiling.instead(ceiling) if author else ceiling,
    )


def _waiting(record: PullRecord, state: PullState, words: str) -> PullRecord:
    return record.model_copy(update={"state": state, "cause": None, "waits": words})


def _line(worker: str | None) -> str:
    return f"worker {worker}" if worker else "a worker"


def _at(record: PullRecord, repair: UnderWay, task: Task, most: int) -> str:
    tries = f"{repair.cause}, try {record.tries(repair.cause)} of {most}"
    if task.state is State.RUNNING:
        return f"worker {task.worker} mends it: {tries}"
    if task.state is State.QUEUED:
        return f"a repair of it waits for {_line(task.line)}: {tries}"
    return f"its repair is {task.state.value}: {task.reason or tries}"
