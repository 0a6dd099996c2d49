"""Ends of runs that prove nothing: no agent ever, ended with its host, the lease gone."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cw.errors import (
    BrokerUnavailableError,
    CwError,
    GitHubUnavailableError,
    IssueChangedError,
    NothingLeftError,
    OverBudgetError,
    UnavailableError,
    UnfitHomeError,
)
from cw.homes import journal
from cw.homes.journal import Journal
from cw.models import Outcome
from cw.reasons import Reason
from cw.states import OutcomeKind
from workerhost.clones import workspace
from workerhost.clones.host_repositories import occupied
from workerhost.programs.progress import Progress
from workerhost.runs.recording import record, settled
from workerhost.runs.run_context import Holding
from workerhost.runs.unfit_workers import unfit

_BUSY_SECONDS = 10.0  # a host that is asked to stop has little time


def not_started(held: Holding, book: Journal, error: CwError) -> str:
    """A run that never had an agent has an outcome all the same."""
    if isinstance(error, UnfitHomeError):
        return unfit(held, book, error)
    now = datetime.now(UTC)
    away = isinstance(error, UnavailableError)
    later = now + timedelta(seconds=held.ctx.settings.defer_seconds)
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED if away else OutcomeKind.FAILED,
        reason=_away(error) if away else _refused(error),
        message=held.redact(error.line()),
        duration_s=book.run.lasted(now),
        retry_at=later if away else None,
    )
    return record(held, settled(book, outcome, now), outcome)


def _refused(error: CwError) -> str:
    if isinstance(error, OverBudgetError):
        return Reason.BUDGET
    if isinstance(error, NothingLeftError):
        return Reason.NOTHING_LEFT
    return Reason.ISSUE_CHANGED if isinstance(error, IssueChangedError) else Reason.NOT_STARTED


def not_begun(held: Holding, book: Journal) -> str:
    """Its host or its machine died before there was an agent: put off and at once due again, which
    is no loss, but has an end all the same.
    """
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=Reason.HOST_DIED,
        message="its host died before the agent was started",
        duration_s=book.run.lasted(now),
        retry_at=now,
    )
    return record(held, settled(book, outcome, now), outcome)


def _away(error: CwError) -> str:
    if isinstance(error, BrokerUnavailableError):
        return Reason.BROKER_UNAVAILABLE
    github = isinstance(error, GitHubUnavailableError)
    return Reason.GITHUB_UNAVAILABLE if github else Reason.REMOTE_UNAVAILABLE


def interrupted(held: Holding, book: Journal, progress: Progress) -> str:
    """Ended with its host, at nobody's wish. Quick, and without the network: a host that is asked
    to stop has little time.
    """
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=Reason.INTERRUPTED,
        message="its host was stopped; it goes on in the same session",
        branch=book.current.branch if book.run.clone else "",
        wip=_kept(held, book),
        cost_usd=progress.spent_usd,
        cost_estimated=progress.unpriced_usd > 0,
        turns=progress.turns,
        duration_s=book.run.lasted(now),
    )
    return record(held, settled(book, outcome, now), outcome)


def fenced(held: Holding, book: Journal) -> str:
    """The lease is gone: keep the work here, claim nothing."""
    wip = _kept(held, book)
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.STOPPED,
        reason=Reason.LEASE_LOST,
        message="the broker was away for longer than the lease; the work is in the clone",
        wip=wip,
        duration_s=book.run.lasted(now),
    )
    journal.archive(held.home, settled(book, outcome, now), held.redact)
    return "fenced"


def host_killed(held: Holding, book: Journal) -> str:
    """Its log and its clone stay as they are: one of them may be what hosts die of."""
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.FAILED,
        reason=Reason.HOST_KILLED,
        message="its host died each time it took this run up; what it left is in the clone",
        branch=book.current.branch if book.run.clone else "",
        duration_s=book.run.lasted(now),
    )
    return record(held, settled(book, outcome, now), outcome)


def host_error(held: Holding, book: Journal, why: str) -> str:
    """This host stumbles over it: what it left stays as it is, for a person and a newer cw."""
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.FAILED,
        reason=Reason.HOST_ERROR,
        message=f"this host cannot see its run through ({why}); what it left is in the clone",
        branch=book.current.branch if book.run.clone else "",
        duration_s=book.run.lasted(now),
    )
    return record(held, settled(book, outcome, now), outcome)


def _kept(held: Holding, book: Journal) -> str:
    git, home = held.git(book), held.home
    with contextlib.suppress(CwError, OSError), occupied(git.settings, home, _BUSY_SECONDS):
        clone = Path(book.run.clone)
        return workspace.save_work(
            git.within(git.settings.git_seconds), clone, held.task_id.lower()
        )
    return ""
