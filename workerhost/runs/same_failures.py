"""After the end of a run: whether what it had in common with others fails for one reason, task
after task, and is paused. The rule is in `cw.breakers`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from cw.accounts.holds import HOLDS, HoldKind
from cw.breakers import Culprit, Failure, RepositoryHold, counts, culprit, why
from cw.errors import CwError
from cw.fleet_models import HOST
from cw.homes.journal import Journal
from cw.models import Outcome
from cw.operations.rest.notices import End, pause_notice
from cw.reasons import rule_of
from cw.states import Move
from cw.store.accounts import Refused
from cw.store.notices import Post
from workerhost.runs.run_context import Holding

log = logging.getLogger("workerhost.same_failures")


@dataclass(frozen=True, slots=True)
class _Paused:
    """`news`: nobody else has said so."""

    who: str
    next: str
    news: bool


def count(held: Holding, book: Journal, outcome: Outcome, move: Move) -> None:
    """Once its end is recorded. What a host that was killed in between says again counts once."""
    most = held.ctx.settings.same_failures
    fails = counts(outcome, move)
    if not most or fails is None:
        return
    one = Failure(
        task=held.task_id,
        repository=book.task.key[0],
        worker=held.home.id,
        account=book.run.account,
    )
    end = End(book.current, held.home.id, book.run.attempt, outcome, move)
    try:
        if fails:
            _failed(held, end, one)
        else:
            held.ctx.store.breakers.succeeded(one)
    except CwError as error:  # no run's end may hang on it
        log.warning("%s", error)


def _failed(held: Holding, end: End, one: Failure) -> None:
    store, most = held.ctx.store, held.ctx.settings.same_failures
    outcome = end.outcome
    streaks = store.breakers.failed(one, outcome.reason, most)
    found = culprit(streaks, most, rule_of(outcome.reason).blame)
    if found is None:
        return
    said = held.redact(why(outcome, most, there=" there" if found is Culprit.PAIR else ""))
    paused = _pause(held, end, found, one, said)
    if not paused.news:
        return
    log.warning("paused after failures who=%s reason=%s", paused.who, outcome.reason)
    notice = pause_notice(end, paused.who, said, paused.next, datetime.now(UTC), held.redact)
    store.notices.add(held.ctx.settings.host_name, [Post(notice=notice)])


def _pause(held: Holding, end: End, found: Culprit, one: Failure, said: str) -> _Paused:
    match found:
        case Culprit.REPOSITORY:
            return _hold_repository(held, end, one, said)
        case Culprit.PAIR:
            return _hold_repository(held, end, one, said, worker=one.worker)
        case Culprit.WORKER:
            return _pause_worker(held, said)
        case Culprit.ACCOUNT:
            return _hold_account(held, one, said)
        case other:
            assert_never(other)


def _hold_repository(
    held: Holding, end: End, one: Failure, said: str, *, worker: str = ""
) -> _Paused:
    hold = RepositoryHold(
        place=one.repository,
        name=end.task.repo,
        worker=worker,
        reason=end.outcome.reason,
        why=said,
        since=datetime.now(UTC),
        by=one.task,
    )
    on = f" on worker {worker}" if worker else ""
    return _Paused(f"{hold.name}{on}", hold.next, held.ctx.store.breakers.hold(hold))


def _pause_worker(held: Holding, said: str) -> _Paused:
    """One that is paused already keeps its reason."""
    fleet, worker = held.ctx.store.fleet, held.home.id
    known = fleet.worker(worker)
    news = known is not None and not known.paused
    if news:
        fleet.pause(worker, said, by=HOST)
    return _Paused(f"worker {worker}", f"cw resume {worker}", news)


def _hold_account(held: Holding, one: Failure, said: str) -> _Paused:
    accounts = held.ctx.store.accounts
    known = accounts.read([one.account]).get(one.account)
    name = known.name if known else one.account
    now = accounts.hold(one.account, Refused(HoldKind.FAILURES, one.task, said=said))
    typed = HOLDS[HoldKind.FAILURES].next.replace("NAME", name)
    return _Paused(f"account {name}", typed, now.news)
