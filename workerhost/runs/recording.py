"""Recording a settled run: journal, then the store with all that follows, then the archive."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cw.errors import BrokerUnavailableError, CwError
from cw.homes import journal
from cw.homes.files import open_regular
from cw.homes.journal import Journal
from cw.models import Outcome, Task
from cw.operations.rest.end import taken_back
from cw.operations.rest.notices import End, notice_of
from cw.operations.rest.writes import on_outcome, tail_of
from cw.programs.known import reader
from cw.reasons import Charge, Reason, rule_of
from cw.settings import Settings
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Holder, Refusal, Settlement, Spending
from cw.store.notices import Told
from cw.store.outbox import Effect
from workerhost.agents import launch
from workerhost.runs import same_failures
from workerhost.runs.run_context import Holding, restore

log = logging.getLogger("workerhost.recording")

_TAIL_LINES = 30
_TAIL_BYTES = 1 << 20
_RETRY_SECONDS = 2.0
_SIGNALLED = 128  # exit codes beyond: ended by a signal, as shells and bubblewrap tell it


def record(held: Holding, book: Journal, outcome: Outcome, *, news: bool = True) -> str:
    """Waits for the broker as long as the host lives; the journal keeps the outcome meanwhile. Not
    `news`: people were told what it waits for when another run met it.
    """
    if not held.ours():
        log.warning("another host process has this run task=%s", held.task_id)
        return "not ours any more"
    journal.write(held.home, book)
    exited = launch.read_exit(held.home)
    signalled = exited is not None and exited.rc > _SIGNALLED
    while True:
        try:
            task = held.ctx.store.tasks.get(held.task_id)
            final, move = next_move(task, outcome, held.ctx.settings, signalled=signalled)
            told = _told(held, book, final, move, news=news)
            recorded = (
                _settle(held, book, move, final, told)
                or is_recorded(held.ctx.store.tasks.get(held.task_id), book, final)
                or (restore(held.ctx, held.home, book) and _settle(held, book, move, final, told))
                or _settle_late(held, book, move, final, told)
            )
            break
        except BrokerUnavailableError:
            if held.ctx.leaving.detach.wait(_RETRY_SECONDS):
                return "detached"
    if not recorded:
        log.warning("stale fence, result not recorded task=%s fence=%s", held.task_id, held.fence)
    else:
        same_failures.count(held, book, final, move)  # again, if this host dies before the archive
    phase = "settled" if recorded else "overtaken"
    ended = book.model_copy(update={"outcome": final, "phase": phase})
    journal.archive(held.home, ended, held.redact)
    _write_down(held, book, final, recorded=recorded)
    log.info(
        "run recorded task=%s worker=%s outcome=%s reason=%s",
        held.task_id,
        held.home.id,
        final.kind,
        final.reason,
    )
    held.ctx.settled()
    return f"{final.kind.value}: {final.message}"


def _write_down(held: Holding, book: Journal, outcome: Outcome, *, recorded: bool) -> None:
    try:
        held.ctx.audit.add(
            "ended",
            book.task.created_by,
            task=held.task_id,
            worker=held.home.id,
            attempt=book.run.attempt,
            outcome=outcome.kind.value,
            reason=outcome.reason,
            recorded=recorded,
            branch=outcome.branch,
            head=outcome.head,
            commits=outcome.commits,
            pushed=outcome.pushed,
            pr=outcome.pr,
            cost_usd=outcome.cost_usd,
        )
    except CwError as error:  # the run is over: what it did must not be lost as well
        log.warning("%s", error)


def next_move(
    task: Task | None, outcome: Outcome, settings: Settings, *, signalled: bool = False
) -> tuple[Outcome, Move]:
    """What becomes of a task after a run. Pure. `signalled`: a signal ended the agent, and not
    ours: the kernel's, for want of memory, or a person's. It goes on as after any loss, and then
    has failed.
    """
    rule = rule_of(outcome.reason)
    charge = rule.charge
    killed = outcome.reason == Reason.KILLED and signalled
    lost = charge is Charge.LOSS and (killed or outcome.reason != Reason.KILLED)
    again_later = lost or outcome.kind is OutcomeKind.DEFERRED
    if outcome.reason == Reason.INTERRUPTED and task and task.stop_wanted:
        said = {"kind": OutcomeKind.STOPPED, "reason": Reason.STOPPED}
        return outcome.model_copy(update=said | {"message": "the run was stopped"}), Move.STOP
    if outcome.kind is OutcomeKind.STOPPED or (again_later and task and task.stop_wanted):
        return outcome, Move.STOP
    if lost and task is not None:
        return _after_loss(task, outcome, settings)
    if charge is Charge.GIVEN_UP:
        return outcome, Move.LOSE
    if OutcomeKind.DEFERRED is outcome.kind is rule.kind and charge is Charge.NOTHING:
        return outcome, Move.INTERRUPT
    if outcome.kind is OutcomeKind.DEFERRED:
        if charge is Charge.ACCOUNT or task is None or task.deferrals < settings.max_deferrals:
            return outcome, Move.HOLD
        message = f"put off {task.deferrals} times already; {outcome.message}"
        failed = {"kind": OutcomeKind.FAILED, "message": message, "retry_at": None}
        return outcome.model_copy(update=failed), Move.FINISH
    return outcome, Move.FINISH


def _after_loss(task: Task, outcome: Outcome, settings: Settings) -> tuple[Outcome, Move]:
    """Again by itself, in the same session, while it may. What was killed has failed then; what
    disappeared is a person's to look at.
    """
    again = task.losses + 1 < settings.max_attempts
    if outcome.reason == Reason.LOST:
        return outcome, Move.EXPIRE if again else Move.LOSE
    if not again:
        return outcome, Move.FINISH
    message = f"{outcome.message}; it goes on in the same session"
    put_off = {"kind": OutcomeKind.DEFERRED, "message": message}
    return outcome.model_copy(update=put_off), Move.EXPIRE


def settled(book: Journal, outcome: Outcome, now: datetime) -> Journal:
    run = book.run.model_copy(update={"ended_at": now})
    return book.model_copy(update={"phase": "settled", "outcome": outcome, "run": run})


def _settle(held: Holding, book: Journal, move: Move, outcome: Outcome, told: Told) -> bool:
    holder = Holder(held.task_id, held.home.id, held.fence)
    charged = rule_of(outcome.reason).charge is not Charge.ACCOUNT
    payers = held.ctx.accounts.payers(held.home.id, book.run.account)
    settlement = Settlement(
        move,
        outcome,
        told,
        begun=bool(book.run.clone),
        charged=charged,
        spending=Spending(
            payers, book.run.ended_at or datetime.now(UTC), held.ctx.settings.host_name
        ),
    )
    return held.ctx.store.tasks.settle(holder, settlement)


def is_recorded(task: Task | None, book: Journal, outcome: Outcome) -> bool:
    """We said so before, and only the answer was lost: redis-py (8.1) itself asks a second time
    when a connection ends, and is refused. Pure.
    """
    return bool(
        task
        and task.state is not State.RUNNING
        and (task.attempt, task.outcome) == (book.run.attempt, outcome)
    )


def _settle_late(held: Holding, book: Journal, move: Move, outcome: Outcome, told: Told) -> bool:
    """The lease ended before we could speak. While nobody took the task since, our word counts."""
    was = held.ctx.store.tasks.get(held.task_id)
    answer = held.ctx.store.tasks.adopt(
        held.task_id,
        worker=held.home.id,
        host=held.ctx.settings.host_name,
        ttl=held.ctx.settings.lease_ttl,
        fence=held.fence,
    )
    if isinstance(answer, Refusal):
        return False
    taken_back(held.ctx.store, was, held.ctx.settings.host_name)
    return _settle(replace(held, fence=answer), book, move, outcome, told)


def _told(held: Holding, book: Journal, outcome: Outcome, move: Move, *, news: bool) -> Told:
    end = End(book.current, held.home.id, book.run.attempt, outcome, move)
    notice = notice_of(end, datetime.now(UTC), held.redact) if news else None
    return Told(_effects(held, book, outcome, move), held.ctx.settings.host_name, notice)


def _effects(held: Holding, book: Journal, outcome: Outcome, move: Move) -> list[Effect]:
    rule = rule_of(outcome.reason)
    if move in {Move.EXPIRE, Move.INTERRUPT} or (rule.quiet and move is Move.HOLD):
        return []
    tail = "" if rule.unread else _tail(held, book.run.agent)
    return on_outcome(book.task, held.home.id, book.run.attempt, outcome, tail)


def _tail(held: Holding, agent: str) -> str:
    """The log's end as a person reads it, without secrets."""
    lines: list[str] = []
    read = reader(agent)
    for path in (held.home.log, held.home.errors):
        try:
            raw = _end(path).splitlines()[-_TAIL_LINES:]
        except OSError:
            continue
        for line in raw:
            lines += [f"{event.kind}: {event.text}" for event in read(line, 0, datetime.now(UTC))]
    return tail_of(held.redact("\n".join(lines[-_TAIL_LINES:])))


def _end(path: Path) -> bytes:
    with open_regular(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
        return file.read()
