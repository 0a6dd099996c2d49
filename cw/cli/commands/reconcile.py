"""`cw reconcile`: labels, tasks and issues made to agree again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.passing import finish
from cw.cli.views.render import Column, json_out, note, say, table

if TYPE_CHECKING:
    from cw.operations.reconciliation.rebuilding import Rebuilt
    from cw.operations.reconciliation.reconcile import Reconciled, Repair

_COLUMNS = [
    Column("issue", gives=True),
    Column("action"),
    Column("worker"),
    Column("why", gives=True),
    Column("outcome", gives=True),
]


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option(
    "--set-aside", is_flag=True, help="First put records that cannot be read out of the way."
)
@json_option
@with_cli
def command(cli: Cli, dry_run: bool, set_aside: bool, as_json: bool) -> None:
    """Make records, worker labels, tasks and issues agree again.

    Tells a broker that has forgotten them of the finished tasks whose archives lie in the HOMEs of
    this machine; hosts do the same when they start.

    With --set-aside, records at the broker that cannot be read are renamed, kept for 30 days, and
    told again by whoever knows what they held (archives, journals, hosts). Claims are given back.

    Looks at the repositories of assign.repos and assign.owner and at those of unfinished tasks.
    docs/assign.md has the table of what is done when. Beat does the same every reconcile.every
    seconds. Exit status 4 when GitHub is away or asks to wait.
    """
    from cw.operations.reconciliation.rebuilding import rebuild
    from cw.operations.reconciliation.reconcile import reconcile

    aside = _set_aside(cli, dry_run=dry_run) if set_aside else ()
    if not as_json:
        for what in aside:
            say(f"{what} {'would be' if dry_run else 'was'} set aside")
    rebuilt = rebuild(cli.store, cli.settings, dry_run=dry_run)
    _tell_rebuilt(rebuilt, dry_run=dry_run, as_json=as_json)
    done = reconcile(cli.ways, dry_run=dry_run)
    if as_json:
        more = {
            "rebuilt": rebuilt.recorded,
            "unreadable": [str(path) for path in rebuilt.unreadable],
            "set_aside": aside,
        }
        json_out(done.model_dump(mode="json") | more)
    else:
        _tell(done, dry_run=dry_run)
    finish(done)


def _set_aside(cli: Cli, *, dry_run: bool) -> tuple[str, ...]:
    """All that is at the broker is looked at once."""
    from cw.operations.reconciliation.unreadable_records import look_at_all, set_aside

    if dry_run:
        return tuple(record.what for record in look_at_all(cli.store))
    return set_aside(cli.store)


def _tell_rebuilt(rebuilt: Rebuilt, *, dry_run: bool, as_json: bool) -> None:
    for path in rebuilt.unreadable:
        note(f"warning: {path} cannot be read and stays as it is. To be rid of it: rm {path}")
    if rebuilt.recorded and not as_json:
        what = "would be recorded" if dry_run else "recorded"
        say(f"{len(rebuilt.recorded)} finished task(s) {what} again from the archives")


def _tell(done: Reconciled, *, dry_run: bool) -> None:
    if done.rows:
        table(_COLUMNS, [_cells(row, dry_run=dry_run) for row in done.rows])
    if done.busy:
        say("Another pass is under way; it does the same.")
    elif not done.rows and not done.stopped:
        say("Labels, tasks and issues agree.")


def _cells(row: Repair, *, dry_run: bool) -> list[str]:
    outcome = "would be done" if dry_run else row.error or ("done" if row.done else "for a person")
    return [f"{row.repo}#{row.issue}", row.action.value, row.worker, row.why, outcome]
