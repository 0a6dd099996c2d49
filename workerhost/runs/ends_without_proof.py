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
    UnavailableError,
    UnfitHomeError,
)
from cw.homes import journal
from cw.homes.journal import Journal
from cw.models import Outcome
from cw.states import OutcomeKind
from cw.transcript.events import Progress
from workerhost.clones import workspace
from workerhost.clones.host_repositories import occupied
from workerhost.runs.recording import (
    HOST_DIED,
    HOST_ERROR,
    HOST_KILLED,
    INTERRUPTED,
    record,
    settled,
)
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
    return "issue_changed" if isinstance(error, IssueChangedError) else "not_started"


def not_begun(held: Holding, book: Journal) -> str:
    """Its host or its machine died before there was an agent: put off and at once due again, which
    is no loss, but has an end all the same.
    """
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=HOST_DIED,
        message="its host died before the agent was started",
        duration_s=book.run.lasted(now),
        retry_at=now,
    )
    return record(held, settled(book, outcome, now), outcome)


def _away(error: CwError) -> str:
    if isinstance(error, BrokerUnavailableError):
        return "broker_unavailable"
    return (
        "github_unavailable" if isinstance(error, GitHubUnavailableError) else "remote_unavailable"
    )


def interrupted(held: Holding, book: Journal, progress: Progress) -> str:
    """Ended with its host, at nobody's wish. Quick, and without the network: a host that is asked
    to stop has little time.
    """
    now = datetime.now(UTC)
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=INTERRUPTED,
        message="its host was stopped; it goes on in the same session",
        branch=book.current.branch if book.run.clone else "",
        wip=_kept(held, book),
        cost_usd=progress.cost_usd,
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
        reason="lease_lost",
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
        reason=HOST_KILLED,
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
        reason=HOST_ERROR,
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
