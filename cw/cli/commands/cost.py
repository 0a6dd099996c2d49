"""`cw cost`: what agents have cost."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import by_option, json_option, local_option, since_option
from cw.cli.context import Cli, with_cli
from cw.cli.finished import ALL, all_rows, local_rows
from cw.cli.views.render import Column, duration, json_out, money, one_line, say, table
from cw.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from cw.operations.views.costs import CostRow


@click.command()
@by_option("worker", "repo", "account", "model", "day", "issue")
@since_option("runs that")
@local_option
@json_option
@with_cli
def command(cli: Cli, by: str, since: datetime | None, local: bool, as_json: bool) -> None:
    """What agents have cost, from the archives of all hosts that are up.

    Every run that has ended counts, also of tasks that are not over. Dollars are those that the
    agent program tells: with a subscription what the same would have cost with a key. A cost that
    nobody heard of, as an agent was killed, is no zero: it is said how many those are.
    """
    from cw.operations.views.costs import costs
    from cw.operations.views.history import Wanted

    wanted = Wanted(since=since)
    rows = local_rows(cli, wanted, ALL) if local else all_rows(cli, wanted, ALL, archives=True)
    names: dict[str, str] = {}
    if by == "account":
        with suppress(BrokerUnavailableError):  # which was said already
            known = cli.store.accounts.read(row.account for row in rows)
            names = {account.id: account.name for account in known.values()}
    found = costs(rows, by, since, names)
    if as_json:
        json_out(found.model_dump(mode="json"))
        return
    if not found.rows:
        say("No run has ended yet. See: cw status")
        return
    columns = [
        Column(by, gives=True),
        Column("runs", right=True),
        Column("tasks", right=True),
        Column("cost", right=True),
        Column("turns", right=True),
        Column("time", right=True),
    ]
    table(columns, [_cells(row) for row in (*found.rows, found.total)])
    if found.total.estimated:
        say(
            f"~ {found.total.estimated} runs that were ended before they had told all of their cost"
        )
    if found.total.unknown:
        say(f"+ {found.total.unknown} runs whose cost nobody heard of")


def _cells(row: CostRow) -> list[str]:
    known = money(row.usd, estimated=bool(row.estimated))
    dollars = "?" if row.unknown and not row.usd else known + "+" * bool(row.unknown)
    return [
        one_line(row.name),
        str(row.runs),
        str(row.tasks),
        dollars,
        str(row.turns),
        duration(row.duration_s),
    ]
