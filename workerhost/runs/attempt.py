"""One run of a task, from the lease to the record."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Self

from cw import processid
from cw.errors import BrokerUnavailableError, CwError, ForgedError, StaleFenceError
from cw.fleet_models import HOST
from cw.homes import journal
from cw.homes.files import write_private
from cw.homes.journal import Journal, Run
from cw.homes.layout import Home
from cw.homes.private import open_files
from cw.homes.running import shim_lives
from cw.models import Event, Task
from cw.operations.reconciliation.rebuilding import Ended, finished_before
from cw.operations.rest.notices import End, notice_of
from cw.operations.rest.writes import on_outcome
from cw.states import Move, State
from cw.store.lease_values import RESERVED, Grant, Holder, Refusal, Settlement
from cw.store.notices import Told
from workerhost.agents import launch
from workerhost.agents.follow import Ending, Follower, follow
from workerhost.agents.taking import take_home
from workerhost.programs.known import runner_named
from workerhost.programs.loops import Loops
from workerhost.programs.progress import Progress
from workerhost.runs.account_listener import listen
from workerhost.runs.cutting import Cutting
from workerhost.runs.ends_with_proof import prove, stop_wanted
from workerhost.runs.ends_without_proof import fenced, interrupted, not_begun, not_started
from workerhost.runs.event_publishing import publish, published
from workerhost.runs.loop_patience import patience
from workerhost.runs.meter import metered
from workerhost.runs.recording import record
from workerhost.runs.run_context import Context, Holding, hold
from workerhost.runs.sessions import chosen, offered
from workerhost.runs.starting import start
from workerhost.settling.verdict import ended_well
from workerhost.shutdown import HostLeavesError

log = logging.getLogger("workerhost.attempt")

_LOOK_AGAIN_SECONDS = 1.0


class NotRun(str):
    """Said for the log of a task that was not begun here: it needs another hint."""

    __slots__ = ()

    def __new__(cls, why: str) -> Self:
        return super().__new__(cls, f"not run: {why}")


def run_task(ctx: Context, home: Home, task_id: str) -> str:
    """Take the task and see it through. Returns a line for the log."""
    obstacle = _obstacle(ctx, home)
    if obstacle:
        return NotRun(obstacle)
    try:
        genuine = ctx.store.tasks.genuine(task_id, home.id)
    except ForgedError as error:
        log.warning("task refused task=%s worker=%s: %s", task_id, home.id, error.line())
        ctx.store.tasks.note(task_id, f"host {ctx.settings.host_name} refuses it: {error.message}")
        return f"refused: {error.message}"  # the record, not the moment: no hint changes it
    return _run_genuine(ctx, home, *genuine) if genuine else NotRun("gone")


def _run_genuine(ctx: Context, home: Home, wanted: Task, prompt: str) -> str:
    """What was checked is what is run, whatever the record says a moment later."""
    task_id, new = wanted.spec.id, offered(home, wanted)
    payer = ctx.accounts.payer(home, wanted.spec.model)
    granted = ctx.store.tasks.acquire(
        task_id,
        worker=home.id,
        host=ctx.settings.host_name,
        ttl=ctx.settings.lease_ttl,
        session=new,
        payer=payer,
        place=wanted.spec.key[0],
    )
    if isinstance(granted, Refusal):
        if granted.scope and granted.reason == RESERVED:
            ctx.store.tasks.note(task_id, granted.scope.shared_out)
        return NotRun(granted.reason)
    task = ctx.store.tasks.get(task_id)
    if task is None:
        return NotRun("gone")
    task = task.model_copy(update={"spec": wanted.spec})
    session = chosen(home, task, granted.session, new)
    run = _run(ctx, home, granted, session.id, payer.account)
    book = Journal(phase="preparing", task=task.spec, run=run)
    held = hold(ctx, home, book)
    before = finished_before(ctx.settings.workers_root, task.spec, task.reopened)
    if before:
        return _recall(held, before)
    with held.lease:
        journal.clear(home)
        journal.write(home, book)
        write_private(home.wanted, prompt.encode())
        try:
            book = start(held, prompt, book, task, session)
        except StaleFenceError:
            return fenced(held, book)
        except HostLeavesError:
            return interrupted(held, book, Progress())
        except CwError as error:
            return not_started(held, book, error)
        return _see_through(held, book, published_to=0)


def _obstacle(ctx: Context, home: Home) -> str:
    """Why this worker takes nothing now; empty when it may. May probe the walls, which takes
    seconds.
    """
    if ctx.leaving.closing.is_set():
        return "the host is being stopped"
    if shim_lives(home) or home.journal.exists():
        return "the worker has a run to be settled first"
    if open_ones := open_files(home):
        note = f"others may use {open_ones[0]}: chmod -R go= {home.path}, then: cw resume {home.id}"
        ctx.store.fleet.pause(home.id, note, by=HOST)
        return note
    if not_ours := take_home(home, ctx.wall):
        ctx.store.fleet.pause(home.id, f"{not_ours}, then: cw resume {home.id}", by=HOST)
        return not_ours
    unproven = ctx.proof.missing(home)
    if unproven:
        log.error("no agent starts worker=%s: %s", home.id, unproven)
    return unproven


def go_on(ctx: Context, home: Home, book: Journal, fence: int) -> str:
    """For a host that found the run in its journal and has its lease again."""
    book = book.model_copy(update={"run": book.run.model_copy(update={"fence": fence})})
    held = hold(ctx, home, book)
    with held.lease:
        journal.write(home, book)
        return (
            record(held, book, book.outcome)
            if book.outcome
            else _see_through(held, book, published_to=published(held, book))
        )


def _recall(held: Holding, before: Ended) -> str:
    """The broker was restored from a time when the task had not ended. Nothing is run again."""
    log.warning("task ended before, as its archive says task=%s", held.task_id)
    task, run, outcome = before.book.task, before.book.run, before.outcome
    told = Told(
        on_outcome(task, run.worker, run.attempt, outcome, ""),
        held.ctx.settings.host_name,
        notice_of(
            End(task, run.worker, run.attempt, outcome, Move.FINISH),
            datetime.now(UTC),
            held.redact,
        ),
    )
    holder = Holder(held.task_id, held.home.id, held.fence)
    recorded = held.ctx.store.tasks.settle(holder, Settlement(Move.FINISH, outcome, told))
    return NotRun("it had ended before" if recorded else "another host has it now")


def _run(ctx: Context, home: Home, granted: Grant, session: str, account: str) -> Run:
    return Run(
        worker=home.id,
        host=ctx.settings.host_name,
        attempt=granted.attempt,
        fence=granted.fence,
        session=session,
        started_at=datetime.now(UTC),
        account=account,
        agent=ctx.runner.name,
        boot=processid.boot_id(),
        began=time.monotonic(),
    )


def _see_through(held: Holding, book: Journal, *, published_to: int) -> str:
    """Follow the agent to its end, settle, record."""
    reading = runner_named(book.run.agent).reading()
    listener = listen(held, book)

    def tell(events: list[Event]) -> None:
        listener.look(reading.progress)
        publish(held, events)

    loops = Loops(patience(held.ctx.settings, book.task))
    follower = Follower(held.home, reading, tell, published_to, loops)
    cutting = Cutting(held, book, follower, metered(held, book))
    ending = follow(held.home, follower, held.lease.lost, held.ctx.leaving, held.ours, cutting.due)
    if ending is Ending.DETACHED:
        log.info("run goes on without host task=%s worker=%s", held.task_id, held.home.id)
        return "detached"
    if ending is Ending.TAKEN:
        return _stand_back(held)
    if ending is Ending.LOST and not held.home.shim.exists():
        return not_begun(held, book)
    take_home(held.home, held.ctx.wall)
    good = ended_well(follower.progress)
    ended = launch.read_exit(held.home)
    stopped = ended is not None and ended.cause == "stopped"
    # The lease stops its run itself, and may be quicker than whoever follows it.
    if not good and (ending is Ending.FENCED or (stopped and held.lease.lost.is_set())):
        return fenced(held, book)
    by_person = stopped and stop_wanted(held)
    cut = None if by_person else cutting.ended_for()
    if stopped and not (good or by_person or cut):
        return interrupted(held, book, follower.progress)  # by its host, or with the machine
    try:
        listener.settle(follower.progress, held.ctx.leaving)
        run = book.run.model_copy(update={"cut": cut})
        return prove(held, book.model_copy(update={"run": run}), ending, listener)
    except HostLeavesError:
        log.info("run ended; the next host settles it task=%s", held.task_id)
        return "detached"


def _stand_back(held: Holding) -> str:
    """Until the other host process is done with this HOME, or silent for a lease."""
    while held.home.journal.exists() and _leased(held):
        if held.ctx.leaving.detach.wait(_LOOK_AGAIN_SECONDS):
            break
    return "not ours any more"


def _leased(held: Holding) -> bool:
    tasks = held.ctx.store.tasks
    try:
        task, now = tasks.get(held.task_id), tasks.now()
    except BrokerUnavailableError:
        return True
    return bool(
        task and task.state is State.RUNNING and task.lease_until and task.lease_until > now
    )
