"""`cw history`: what came out of finished tasks."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_repos
from cw.cli.arguments.params import json_option, local_option, maybe_id_argument, since_option
from cw.cli.context import Cli, with_cli
from cw.cli.finished import all_rows, local_rows
from cw.cli.views.render import Column, duration, json_out, moment, money, say, table
from cw.errors import BadInputError, BrokerUnavailableError
from cw.operations.fleet.references import Target, resolve
from cw.repos import parse_repo
from cw.states import OutcomeKind

if TYPE_CHECKING:
    from cw.operations.views.history import Finished

_COLUMNS = [
    Column("when"),
    Column("worker"),
    Column("issue", gives=True),
    Column("outcome", state=True),
    Column("commits", right=True, wide=90),
    Column("cost", right=True, wide=60),
    Column("turns", right=True, wide=80),
    Column("time", right=True, wide=66),
    Column("result", gives=True),
]


@click.command()
@maybe_id_argument
@click.option(
    "-r",
    "--repo",
    help="Only of this repository: owner/repo, a git path or URL.",
    shell_complete=complete_repos,
)
@since_option("what")
@click.option(
    "--outcome",
    type=click.Choice([kind.value for kind in OutcomeKind]),
    help="Only what ended so.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    metavar="N",
    help="At most so many.",
)
@click.option("--all", "everything", is_flag=True, help="Ask every host for its archives too.")
@local_option
@json_option
@with_cli
def command(
    cli: Cli,
    target: Target | None,
    repo: str | None,
    since: datetime | None,
    outcome: str | None,
    limit: int,
    everything: bool,
    local: bool,
    as_json: bool,
) -> None:
    """Finished tasks, newest first.

    With an ID, of a worker or of a task, only what concerns it. The broker remembers the newest
    tasks; the archives in the workers' HOMEs keep every run, with --all of all hosts that are up.
    They are looked at as well when the broker knows nothing of ID, and those of this machine when
    the broker is away.
    """
    from cw.operations.views.history import Wanted

    if target and not target.settled:
        target = resolve(cli.store, target)
    wanted = Wanted(
        worker=target.worker if target else None,
        task=target.task if target else None,
        repo=_repo(cli, repo) if repo is not None else None,
        since=since,
        outcome=outcome,
    )
    rows = (
        local_rows(cli, wanted, limit)
        if local
        else all_rows(cli, wanted, limit, archives=everything)
    )
    if not rows and wanted.worker and not local:
        _need_worker(cli, wanted.worker)
    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
    else:
        _tell(rows)


def _tell(rows: list[Finished]) -> None:
    if not rows:
        say("No finished task fits. See: cw status")
        return
    now = datetime.now(UTC)
    table(_COLUMNS, [_cells(row, now) for row in rows])


def _need_worker(cli: Cli, worker: str) -> None:
    """Raises BadInputError when nobody knows of it."""
    from cw.operations.fleet.lookup import need_worker

    with suppress(BrokerUnavailableError):  # which was said already
        need_worker(cli.store, worker)


def _repo(cli: Cli, typed: str) -> str:
    """As records name it. A path need not be here: it may be another machine's."""
    try:
        return parse_repo(typed, github_url=cli.settings.github_url, cwd=Path.cwd()).name
    except BadInputError:
        if not typed.startswith(("/", "./", "../", "~")):
            raise
        return str(Path(typed).expanduser().absolute())


def _cells(row: Finished, now: datetime) -> list[str]:
    outcome = row.outcome
    good = outcome.kind.value == "succeeded"
    return [
        moment(row.ended_at, now),
        row.worker,
        row.label,
        outcome.kind.value,
        str(outcome.commits),
        money(row.cost_usd, estimated=row.cost_estimated),
        str(row.turns),
        duration(row.duration_s),
        outcome.pr or outcome.branch if good else outcome.message or outcome.reason,
    ]
