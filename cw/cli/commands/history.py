"""`cw history`: what came out of finished tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cw.cli.context import Cli, with_cli
from cw.cli.params import Target, json_option, maybe_id_argument
from cw.cli.render import Column, duration, json_out, moment, money, note, say, table
from cw.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from cw.operations.history import Finished

_COLUMNS = [
    Column("when"),
    Column("worker"),
    Column("issue", gives=True),
    Column("outcome", state=True),
    Column("commits", right=True),
    Column("cost", right=True),
    Column("turns", right=True),
    Column("time", right=True),
    Column("result", gives=True),
]


@click.command()
@maybe_id_argument
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    metavar="N",
    help="At most so many.",
)
@click.option("--local", is_flag=True, help="Read the archives of this machine's HOMEs.")
@json_option
@with_cli
def command(cli: Cli, target: Target | None, limit: int, local: bool, as_json: bool) -> None:
    """Finished tasks, newest first.

    With an ID, of a worker or of a task, only what concerns it. When the broker is away, the
    archives in the HOMEs of this machine are read instead.
    """
    rows = _rows(cli, target, limit, local=local)
    if as_json:
        json_out([one.model_dump(mode="json") for one in rows])
        return
    if not rows:
        say("No finished tasks yet. See: cw status")
        return
    now = datetime.now(UTC)
    table(_COLUMNS, [_cells(one, now) for one in rows])


def _rows(cli: Cli, target: Target | None, limit: int, *, local: bool) -> list[Finished]:
    if local:
        return _from_archives(cli, target, limit)
    try:
        return _from_store(cli, target, limit)
    except BrokerUnavailableError as error:
        note(f"warning: {error.message}; these are the archives of this machine")
        return _from_archives(cli, target, limit)


def _from_store(cli: Cli, target: Target | None, limit: int) -> list[Finished]:
    from cw.operations.history import from_record, newest

    # Records are sorted by end alone, so a search for one worker has to look at all of them.
    many = cli.settings.history_limit if target else limit
    rows = [row for task in cli.store.tasks.done_tasks(many) if (row := from_record(task))]
    return newest([one for one in rows if _wanted(one, target)], limit)


def _from_archives(cli: Cli, target: Target | None, limit: int) -> list[Finished]:
    from cw.operations.history import from_archive, newest
    from workerhost.archives import archives
    from workerhost.layout import homes

    rows: list[Finished] = []
    unread = 0
    for home in homes(cli.settings.workers_root):
        for _, data in archives(home):
            row = from_archive(data)
            unread += row is None
            rows += [row] if row and _wanted(row, target) else []
    if unread:
        note(f"warning: {unread} archives could not be understood")
    return newest(rows, limit)


def _wanted(row: Finished, target: Target | None) -> bool:
    if target is None:
        return True
    return row.worker == target.worker if target.worker else row.task == target.task


def _cells(row: Finished, now: datetime) -> list[str]:
    outcome = row.outcome
    good = outcome.kind.value == "succeeded"
    return [
        moment(row.ended_at, now),
        row.worker,
        row.label,
        outcome.kind.value,
        str(outcome.commits),
        money(outcome.cost_usd),
        str(outcome.turns),
        duration(outcome.duration_s),
        outcome.pr or outcome.branch if good else outcome.message or outcome.reason,
    ]
