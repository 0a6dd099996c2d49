"""`cw status`: the whole fleet on one screen."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.context import Cli, with_cli
from cw.cli.params import Target, json_option, maybe_id_argument
from cw.cli.render import Column, duration, json_out, moment, money, note, say, table
from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.operations.overview import About, Overview, WaitingRow, WorkerRow

_WORKERS = [
    Column("worker"),
    Column("state", state=True),
    Column("task", gives=True),
    Column("title", gives=True),
    Column("model", gives=True),
    Column("time", right=True),
    Column("turns", right=True),
    Column("cost", right=True),
    Column("last", gives=True),
]
_WAITING = [
    Column("place", right=True),
    Column("for"),
    Column("task"),
    Column("issue", gives=True),
    Column("since"),
    Column("why", gives=True),
]
_STUCK = [
    Column("state", state=True),
    Column("worker"),
    Column("issue", gives=True),
    Column("until"),
    Column("why", gives=True),
]


@click.command()
@maybe_id_argument
@json_option
@with_cli
def command(cli: Cli, target: Target | None, as_json: bool) -> None:
    """What every worker does, and what waits and why.

    With an ID, of a worker or of a task, only what concerns it. A host that was silent for a minute
    makes its workers offline.
    """
    from cw.operations.overview import overview, read_fleet

    now = cli.store.tasks.now()
    seen = _only(overview(read_fleet(cli.store), now), target)
    if as_json:
        json_out(seen.model_dump(mode="json"))
        return
    if not seen.workers and target is None:
        say("No workers yet. Make one with: cw init 01")
    _tell_workers(seen)
    _tell_tasks(seen, now)
    for warning in seen.warnings:
        note(f"warning: {warning}")


def _only(seen: Overview, target: Target | None) -> Overview:
    """Raises BadInputError when nothing is known by that id."""
    if target is None:
        return seen
    if target.worker and target.worker not in {one.worker for one in seen.workers}:
        known = ", ".join(one.worker for one in seen.workers) or "none"
        raise BadInputError(f"there is no worker {target.worker}", hint=f"Known: {known}")

    def wanted(worker: str | None, about: About | None) -> bool:
        if target.worker:
            return worker == target.worker
        return about is not None and about.task == target.task

    found = seen.model_copy(
        update={
            "workers": [one for one in seen.workers if wanted(one.worker, one.about)],
            "waiting": [one for one in seen.waiting if wanted(one.worker, one.about)],
            "held": [one for one in seen.held if wanted(one.worker, one.about)],
            "stuck": [one for one in seen.stuck if wanted(one.worker, one.about)],
        }
    )
    if target.task and not (found.workers or found.waiting or found.held or found.stuck):
        raise BadInputError(
            f"no unfinished task is {target.task}", hint="cw history shows finished ones"
        )
    return found


def _tell_workers(seen: Overview) -> None:
    if seen.workers:
        table(_WORKERS, [_worker_cells(one) for one in seen.workers])


def _worker_cells(row: WorkerRow) -> list[str]:
    about = row.about
    return [
        row.worker,
        row.state,
        about.label if about else "",
        about.title if about else "",
        about.model if about else "",
        duration(row.elapsed_s),
        "" if row.turns is None else str(row.turns),
        money(row.cost_usd),
        row.last,
    ]


def _tell_tasks(seen: Overview, now: datetime) -> None:
    if seen.waiting:
        say()
        table(_WAITING, [_waiting_cells(one, now) for one in seen.waiting], title="Waiting")
    rows = [
        ["held", one.worker or "", one.about.label, moment(one.until, now), one.reason]
        for one in seen.held
    ]
    rows += [[one.state, one.worker or "", one.about.label, "", one.reason] for one in seen.stuck]
    if rows:
        say()
        table(_STUCK, rows, title="Not moving")
    for label, what in [(one.about.label, one.next) for one in seen.held] + [
        (one.about.label, one.next) for one in seen.stuck
    ]:
        say(f"{label}: {what}")


def _waiting_cells(row: WaitingRow, now: datetime) -> list[str]:
    return [
        str(row.place or "?"),
        row.worker or "anyone",
        row.about.task,
        row.about.label,
        moment(row.since, now),
        row.reason,
    ]
