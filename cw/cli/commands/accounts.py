"""`cw accounts`: the credentials that agents work on, and why one waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_accounts
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import Column, json_out, moment, money, one_line, say, table
from cw.errors import BadInputError

if TYPE_CHECKING:
    from datetime import datetime

    from cw.operations.views.accounts import AccountRow

_COLUMNS = [
    Column("account"),
    Column("state", state=True),
    Column("kind", wide=80),
    Column("workers", gives=True),
    Column("used", gives=True),
    Column("today", right=True, wide=80),
    Column("until"),
    Column("why", folds=True),
    Column("token ends", wide=100),
]


@click.command()
@click.argument("names", metavar="[ACCOUNT]...", nargs=-1, shell_complete=complete_accounts)
@click.option("--resume", is_flag=True, help="Try these again now: what held them is mended.")
@json_option
@with_cli
def command(cli: Cli, names: tuple[str, ...], resume: bool, as_json: bool) -> None:
    """The accounts that agents work on: their workers, how far they are used up, why one waits.

    An account is one credential of the model's API, by CW_ACCOUNT in a worker's .zshenv or by a
    short digest. One refused request holds it: nothing of it starts until the limit is over or the
    credential is mended; then one task tries, and the others follow. used: of each window. today:
    what its runs that ended since midnight (UTC) have cost. A token of
    claude setup-token whose year is nearly over is said.

    Without --resume, ACCOUNT chooses what is shown.
    """
    from cw.operations.control import accounts
    from cw.operations.views.accounts import account_rows

    if resume and not names:
        raise BadInputError("which account is not clear", hint="Give its name: cw accounts")
    chosen = accounts.found(cli.store, names)
    if resume:
        accounts.resume(cli.control, chosen)
        cli.audit.add("account resume", cli.whoami, accounts=[one.name for one in chosen])
    workers, now = cli.store.fleet.workers(), cli.store.tasks.now()
    wanted = {one.id for one in chosen} or {worker.account for worker in workers}
    spent = cli.store.budgets.read(now).spent
    rows = account_rows(cli.store.accounts.read(wanted), workers, now, spent)
    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
        return
    if not rows:
        say("No account yet: a host finds them with its workers. Start one with: cw up")
        return
    table(_COLUMNS, [_row(row, now) for row in rows])
    for row in rows:
        for hold in row.holds:
            if hold.next:
                say(f"{one_line(row.name)} → {one_line(hold.next)}")
        if row.ending:
            say(f"{one_line(row.name)}: {row.ending} → {row.renew}")


def _row(row: AccountRow, now: datetime) -> list[str]:
    from cw.cli.views.spans import spans

    holds = row.holds[:1]
    return [
        row.name,
        row.state,
        row.kind,
        " ".join(spans(row.workers)),
        ", ".join(f"{one.window} {one.used:.0%}" for one in row.windows),
        money(row.today_usd) if row.today_usd else "",
        moment(holds[0].until, now) if holds else "",
        holds[0].reason if holds else "",
        str(row.ends_on or ""),
    ]
