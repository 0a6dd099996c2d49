"""Orphaned leases: a host was killed as it took a task, and left its lease and nothing else."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from cw import processid
from cw.errors import ForgedError
from cw.homes import journal
from cw.homes.journal import Journal, Run
from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.models import Task
from cw.states import State
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.orphaned")


def write_journals(ctx: Context, homes: Mapping[str, Home]) -> None:
    """Give each the journal that its host did not come to write: it is found and put back like any
    run whose host died before the agent was there. Else its task waited for the end of the lease.

    Only for a host that begins: no other process of its name takes tasks then. Raises
    BrokerUnavailableError.
    """
    for task in ctx.store.tasks.open_tasks():
        home = homes.get(task.worker or "")
        ours = task.state is State.RUNNING and task.host == ctx.settings.host_name
        if not ours or home is None or home.journal.exists() or shim_lives(home):
            continue
        try:
            genuine = ctx.store.tasks.genuine(task.spec.id, home.id)
        except ForgedError as error:
            log.warning("task left alone task=%s: %s", task.spec.id, error.line())
            continue
        if genuine:
            log.warning("its host died as it took it task=%s worker=%s", task.spec.id, home.id)
            book = Journal(phase="preparing", task=genuine[0].spec, run=_run(task, home))
            journal.write(home, book)


def _run(task: Task, home: Home) -> Run:
    return Run(
        worker=home.id,
        host=task.host or "",
        attempt=task.attempt,
        fence=task.fence,
        session=task.session or str(uuid.uuid4()),
        started_at=datetime.now(UTC),
        boot=processid.boot_id(),
        began=time.monotonic(),
    )
