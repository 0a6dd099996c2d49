"""`cw assign`: open issues for idle workers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.passing import finish
from cw.cli.views.render import Column, json_out, say, table

if TYPE_CHECKING:
    from cw.operations.assignment.assign import Assigned, Row

_COLUMNS = [
    Column("verdict"),
    Column("worker"),
    Column("task"),
    Column("issue", gives=True),
    Column("title", gives=True),
    Column("why", gives=True),
]


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show each issue with its verdict and why.")
@json_option
@with_cli
def command(cli: Cli, dry_run: bool, as_json: bool) -> None:
    """Give open issues to idle workers, oldest first, one each.

    Reads the issues of assign.repos and assign.owner; docs/assign.md says which are skipped. Beat
    does the same every assign.every seconds. Exit status 4 when GitHub is away or asks to wait:
    what was assigned by then stays assigned.
    """
    from cw.operations.assignment.assign import assign
    from cw.operations.passes.scope import require_configured

    require_configured(cli.settings)
    done = assign(cli.ways, dry_run=dry_run)
    if as_json:
        json_out(done.model_dump(mode="json"))
    else:
        _tell(cli, done, list(done.rows) if dry_run else done.dispatched)
    finish(done)


def _tell(cli: Cli, done: Assigned, rows: list[Row]) -> None:
    if rows:
        from cw.operations.fleet.references import short_ids

        short = short_ids(cli.store, {row.task for row in rows if row.task}) | {"": ""}
        table(_COLUMNS, [_cells(row, short[row.task]) for row in rows])
    if done.busy:
        say("Another pass is under way; it does the same.")
        return
    words = Counter(row.verdict.value for row in done.rows if not row.task)
    skipped = ", ".join(f"{count} {word}" for word, count in sorted(words.items()))
    say(f"{len(done.dispatched)} assigned; {skipped or 'no other open issue'}")


def _cells(row: Row, task: str) -> list[str]:
    name = f"{row.repo}#{row.issue}"
    return [row.verdict.value, row.worker, task, name, row.title, row.reason]
