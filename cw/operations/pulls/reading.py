"""Readings as a pass orders and follows them: of a draft that another worker is to read before it
becomes ready for review. Ordered as repairs are: in the record first, then as a task.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cw.errors import GoneError
from cw.forges.trusted_authors import objection
from cw.names import new_task_id
from cw.operations.pulls.mending import Decided, bounds_of
from cw.operations.pulls.opinions import new_mark, prompt, reader_for
from cw.pulls.begin import key_of
from cw.pulls.next_step import why_over
from cw.pulls.read import adopted_reading, ordered_reading, read, reading_of
from cw.pulls.readings import PATIENCE, Stage, Step
from cw.pulls.record import Cause, PullRecord
from cw.pulls.repaired import counted
from cw.pulls.states import PullState
from cw.states import State
from cw.store.outbox import Effect
from cw.store.signing import prompt_sha256

if TYPE_CHECKING:
    from cw.forges.issues import Thread
    from cw.forges.watched import Look
    from cw.models import Task
    from cw.operations.passes.context import PassContext
    from cw.operations.passes.rights import Rights
    from cw.pulls.readings import Readings
    from cw.pulls.verdict import Verdict

_UNREAD = "not read by another worker"
_UNSEEN = "what another worker found is not seen to"
_MARKED = "it is marked ready for review"


@dataclass(frozen=True, slots=True)
class Read:
    """`at`: what its reading is at, in words; empty: there is none. `findings`: that its author is
    to see to, in the words of a worker.
    """

    record: PullRecord
    at: str = ""
    findings: str = ""


class Reader:
    """Of one pass. `tasks`: all open ones. Raises BrokerUnavailableError and
    GitHubUnavailableError.
    """

    def __init__(
        self, ways: PassContext, rights: Rights, tasks: Iterable[Task], now: datetime
    ) -> None:
        self._ways = ways
        self._store = ways.store
        self._rights = rights
        self._now = now
        self._open = {key_of(task): task for task in tasks if task.spec.reading}

    def followed(self, record: PullRecord) -> Read:
        """The record as its reading has come to be."""
        known = self._open.get(record.key)
        if known and (record.readings is None or known.spec.id not in record.readings.tasks):
            record = adopted_reading(record, known)
        if record.readings and record.readings.stage is Stage.READS:
            record, at = self._reads(record, record.readings)
            if at:
                return Read(record, at)
        if record.readings and record.readings.stage is Stage.FINDINGS:
            return self._found(record, record.readings)
        return Read(record)

    def _reads(self, record: PullRecord, readings: Readings) -> tuple[PullRecord, str]:
        """And where that is not over, what it is at."""
        task = self._store.tasks.get(readings.tasks[-1])
        if task is None:
            return _with(record, readings.not_ordered()), ""
        if task.state is State.DONE:
            return read(record, task), ""
        began = readings.at or self._now
        if task.state is not State.RUNNING and self._now - began >= PATIENCE:
            over = readings.after(Step.END, f"{_UNREAD}: no worker did within a day")
            known = task.spec.reading
            update = counted(record, known, task) if known else {}
            return _with(record.model_copy(update=update), over), ""
        return record, _at(task)

    def _found(self, record: PullRecord, readings: Readings) -> Read:
        """What it found, as long as anything of it can be seen to."""
        task = self._store.tasks.get(readings.tasks[-1])
        said = task.outcome.report if task and task.outcome else ""
        bounds = bounds_of(self._ways.settings, self._store.tasks.get(record.task))
        why = "" if said else "it is forgotten"
        if bounds.repairs:
            why = why or why_over(record, Cause.REVIEW, bounds, self._now)
        else:
            why = why or "nothing is mended"
        if why:
            return Read(_with(record, readings.after(Step.END, f"{_UNSEEN}: {why}")))
        return Read(record, findings=said)

    def decide(self, decided: Decided, verdict: Verdict, look: Look) -> Decided:
        """What is done about it once nothing of it moves. `decided`: what else is."""
        record = decided.record
        if record.readings is None:
            return decided
        if not look.draft:
            return replace(decided, record=_said(_with(record, record.readings.after(Step.MARK))))
        if record.readings.stage is Stage.WANTED and verdict.state is PullState.READY:
            decided = self._wanted(decided, record.readings, look)
        return _marked(decided)

    def _wanted(self, decided: Decided, readings: Readings, look: Look) -> Decided:
        record, author = decided.record, self._store.tasks.get(decided.record.task)
        if self._ways.settings.pulls_review == "off":
            return replace(decided, record=_with(record, readings.after(Step.END)))
        bounds = bounds_of(self._ways.settings, author)
        why = why_over(record, None, bounds, self._now)
        if author is None:
            why = "the task that made it is forgotten"
        if why or author is None:
            over = readings.after(Step.END, f"{_UNREAD}: {why}")
            return replace(decided, record=_with(record, over))
        task = new_task_id(int(self._now.timestamp() * 1000), secrets.randbits)
        ordered = ordered_reading(record, task, self._now)
        text = prompt(ordered, self._issue(ordered, author), new_mark())
        spec = reading_of(ordered, task, look, author.spec, self._worker(record, readings))
        named = {"prompt_sha256": prompt_sha256(text), "prompt_bytes": len(text.encode())}
        waits = f"a reading of it waits for {_line(spec.wanted_worker)}"
        ordered = ordered.model_copy(update={"state": PullState.REVIEWING, "waits": waits})
        return replace(decided, record=ordered, spec=spec.model_copy(update=named), prompt=text)

    def _worker(self, record: PullRecord, readings: Readings) -> str | None:
        tasks = (self._store.tasks.get(task) for task in readings.tasks)
        tried = {task.line for task in tasks if task and task.line}
        return reader_for(self._store, record, tried)

    def _issue(self, record: PullRecord, author: Task) -> Thread | None:
        """As it is now, if those who may still stand for it."""
        if record.issue is None:
            return None
        try:
            thread = self._ways.github.thread(record.repo, record.issue)
        except GoneError:
            return None
        spec, label = author.spec, self._ways.settings.assign_go_label

        def writes(login: str) -> bool:
            return self._rights.may_write(record.repo, login)

        return None if objection(spec, thread, label, writes) else thread


def _marked(decided: Decided) -> Decided:
    """Ready for review, as soon as nothing but a person's look is left to do."""
    record = decided.record
    readings, waits = record.readings, record.state in {PullState.READY, PullState.NEEDS_YOU}
    if readings is None or readings.stage is not Stage.OVER or not waits:
        return replace(decided, record=_said(record))
    ready = Effect(
        kind="ready",
        repo=record.repo,
        repo_id=record.repo_id,
        issue=record.number,
        worker=record.worker,
        text="",
        task=record.task,
    )
    if record.state is PullState.READY:
        record = record.model_copy(update={"waits": _MARKED})
    marked = _said(_with(record, readings.after(Step.MARK)))
    return replace(decided, record=marked, effects=(*decided.effects, ready))


def _said(record: PullRecord) -> PullRecord:
    """With why nobody has read it, where that is so."""
    why = record.readings.why if record.readings else ""
    if not why or record.state not in {PullState.READY, PullState.NEEDS_YOU}:
        return record
    return record.model_copy(update={"waits": f"{record.waits}; {why}"})


def _with(record: PullRecord, readings: Readings) -> PullRecord:
    return record.model_copy(update={"readings": readings})


def _line(worker: str | None) -> str:
    return f"worker {worker}" if worker else "a worker"


def _at(task: Task) -> str:
    if task.state is State.RUNNING:
        return f"worker {task.worker} reads it"
    if task.state is State.QUEUED:
        return f"a reading of it waits for {_line(task.line)}"
    return f"its reading is {task.state.value}: {task.reason}"
