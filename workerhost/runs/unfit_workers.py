"""A worker whose HOME or machine keeps its runs from starting: the tasks go to others, and it is
paused before it takes the whole pool's.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from cw.errors import CwError
from cw.fleet_models import HOST
from cw.homes.archives import archives
from cw.homes.journal import Journal
from cw.models import Outcome
from cw.operations.rest.writes import unlabel
from cw.reasons import Reason
from cw.states import OutcomeKind, State
from workerhost.runs.recording import record, settled
from workerhost.runs.run_context import Holding

log = logging.getLogger("workerhost.passing_on")


def unfit(held: Holding, book: Journal, error: CwError) -> str:
    """Nothing is charged to the task. Twice in a row, and it is not one clone that is broken."""
    now = datetime.now(UTC)
    again = _last_reason(held) == Reason.HOME_UNFIT
    outcome = Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=Reason.HOME_UNFIT,
        message=held.redact(error.line()),
        duration_s=book.run.lasted(now),
        retry_at=now,
    )
    if again:  # before the task can be taken again
        _pause(held, outcome.message)
    said = record(held, settled(book, outcome, now), outcome)
    _pass_on(held, book)
    return said


def _last_reason(held: Holding) -> str:
    """Of this worker's last run."""
    for _, data in archives(held.home):
        outcome = data.get("outcome")
        return str(outcome.get("reason")) if isinstance(outcome, dict) else ""
    return ""


def _pause(held: Holding, why: str) -> None:
    home = held.home
    note = f"its last two runs could not start: {why[:200]}. Mend {home.path}, then: cw resume"
    try:
        held.ctx.store.fleet.pause(home.id, f"{note} {home.id}", by=HOST)
    except CwError as error:
        log.warning("worker not paused worker=%s: %s", home.id, error)


def _pass_on(held: Holding, book: Journal) -> None:
    """To the pool, if it came from there. Its next hint is the sweep's."""
    if book.task.wanted_worker or book.task.tag:
        return
    store = held.ctx.store
    try:
        task = store.tasks.get(held.task_id)
        if task and task.state is State.QUEUED and store.tasks.reroute(task):
            store.outbox.add(held.ctx.settings.host_name, unlabel(task))
    except CwError as error:
        log.warning("task not passed on task=%s: %s", held.task_id, error)
