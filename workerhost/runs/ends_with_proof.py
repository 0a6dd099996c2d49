"""The end of a run that git and GitHub are asked about, until they prove what became of it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from cw.errors import BrokerUnavailableError
from cw.homes.journal import Cut, Journal
from cw.models import Event, Outcome
from cw.operations.dispatch.branches import another_tasks
from cw.operations.reconciliation.rebuilding import heads_left
from cw.reasons import Reason, rule_of
from cw.states import OutcomeKind
from workerhost.agents import launch
from workerhost.agents.follow import Ending
from workerhost.programs.progress import Progress
from workerhost.runs.account_listener import AccountListener
from workerhost.runs.event_publishing import publish
from workerhost.runs.recording import record, settled
from workerhost.runs.renamed_repository import called_now
from workerhost.runs.run_context import Holding
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import UNPROVEN, cut_short, judge_process
from workerhost.shutdown import HostLeavesError

_ASK_AGAIN_SECONDS = 30.0
_NOTHING_TO_SHOW = frozenset(
    {Reason.NO_CHANGES, Reason.UNCOMMITTED, Reason.NO_REPORT, Reason.NO_ISSUES}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What does not change any more. `ours`: heads that earlier runs of the task left."""

    ending: Ending
    exit: launch.Exit | None
    progress: Progress
    ours: Collection[str]


def prove(held: Holding, book: Journal, ending: Ending, listener: AccountListener) -> str:
    """Settle and record; asked again for as long as only the proof is missing. Raises
    HostLeavesError.
    """
    progress = listener.progress
    settings, said = held.ctx.settings, ""
    seen = _Seen(
        ours=heads_left(settings.workers_root, book.task),
        exit=launch.read_exit(held.home),
        ending=ending,
        progress=progress,
    )
    until = time.monotonic() + settings.defer_seconds * max(1, settings.max_deferrals)
    for tries in count(1):
        now = datetime.now(UTC)
        book = called_now(held, book)
        outcome = _outcome(held, book, seen, now)
        if outcome.reason not in UNPROVEN:
            break
        # A step that takes long was not in vain: time alone ends no patience.
        if tries > settings.max_deferrals and time.monotonic() > until:
            outcome = _given_up(outcome)
            break
        if outcome.message != said:
            said = outcome.message
            publish(held, [Event(at=now, kind="note", text=f"not proven yet, asked again: {said}")])
        if held.lease.lost.is_set():
            return "unproven, and the lease ended"  # the journal stays: adopted, and asked again
        if stop_wanted(held):
            break
        # The agent is done, only the proof is missing: another run would do its work twice.
        if held.ctx.leaving.detach.wait(min(_ASK_AGAIN_SECONDS, settings.defer_seconds / 10)):
            raise HostLeavesError
    outcome = listener.timed(outcome)
    return record(held, settled(book, outcome, now), outcome, news=listener.news)


def _outcome(held: Holding, book: Journal, seen: _Seen, now: datetime) -> Outcome:
    """Of this moment, from git and GitHub."""
    defer = timedelta(seconds=held.ctx.settings.defer_seconds)
    run = EndedRun(
        task=book.current,
        run=book.run,
        github=held.ctx.github_for(held.home.id) if book.task.github else None,
        process=cut_short(
            judge_process(seen.ending, seen.exit, seen.progress, now, defer),
            book.run.cut,
            seen.progress,
        ),
        progress=seen.progress,
        now=now,
        defer=defer,
        redact=held.redact,
        start=book.start,
        theirs=partial(another_tasks, held.ctx.store, book.current),
        ours=seen.ours,
    )
    return _crowded(_explained(settle(run, held.git(book)), book.run.cut), seen.exit)


def _explained(outcome: Outcome, cut: Cut | None) -> Outcome:
    """One that only waited for its subagents is done, for all claude says, when it is stopped: then
    this is why it has nothing to show.
    """
    if cut is None or outcome.reason not in _NOTHING_TO_SHOW:
        return outcome
    kind = rule_of(cut.reason).kind
    return outcome.model_copy(update={"kind": kind, "reason": cut.reason, "message": cut.message})


def _given_up(outcome: Outcome) -> Outcome:
    """Another run would do the agent's work again, for a step that is not the agent's."""
    text = f"asked again and again, in vain: {outcome.message}"
    return outcome.model_copy(
        update={"kind": OutcomeKind.FAILED, "message": text, "retry_at": None}
    )


def _crowded(outcome: Outcome, ended: launch.Exit | None) -> Outcome:
    """Why something may have failed that the agent started; of good work it says nothing."""
    many = ended.refused_processes if ended else 0
    if not many or outcome.kind is OutcomeKind.SUCCEEDED:
        return outcome
    text = f"{outcome.message}; the kernel refused {many} processes (CW_RUN_MAX_PROCESSES)"
    return outcome.model_copy(update={"message": text})


def stop_wanted(held: Holding) -> bool:
    """Whether a person asked for the end of this run."""
    try:
        task = held.ctx.store.tasks.get(held.task_id)
    except BrokerUnavailableError:
        return False
    return task is not None and bool(task.stop_wanted)
