"""`cw stats`: how tasks went."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import by_option, json_option, local_option, since_option
from cw.cli.context import Cli, with_cli
from cw.cli.finished import ALL, all_rows, local_rows
from cw.cli.views.render import Column, duration, json_out, money, one_line, say, table
from cw.errors import BrokerUnavailableError, CwError

if TYPE_CHECKING:
    from cw.operations.views.merges import Merges
    from cw.operations.views.stats import Stats, StatsRow, TaskSum


@click.command()
@by_option("repo", "model", "worker", "account", "day")
@since_option("tasks whose last run")
@click.option(
    "--merged",
    is_flag=True,
    help="Ask GitHub which pull requests were merged: one request for each, free while nothing"
    " changes.",
)
@local_option
@json_option
@with_cli
def command(
    cli: Cli, by: str, since: datetime | None, merged: bool, local: bool, as_json: bool
) -> None:
    """How tasks went: how many succeeded, how long they took, how often they ran, what they cost.

    From the archives of all hosts that are up, as cw cost. A task counts with all its runs, where
    its last one was. success: of tasks that succeeded or failed; what is put off or was stopped by
    a person says nothing. p50, p95: half and 95 of 100 of them took no longer, all their runs
    together. Dollars for each pull request include those of tasks that delivered none. + after
    dollars: at least, as runs are among them whose cost nobody heard of.
    """
    from cw.operations.views.history import Wanted
    from cw.operations.views.stats import stats, task_sums

    wanted = Wanted()  # whole tasks: their earlier runs may have ended before `since`
    rows = local_rows(cli, wanted, ALL) if local else all_rows(cli, wanted, ALL, archives=True)
    tasks = task_sums(rows, since)
    names: dict[str, str] = {}
    if by == "account":
        with suppress(BrokerUnavailableError):  # which was said already
            known = cli.store.accounts.read(task.last.account for task in tasks)
            names = {account.id: account.name for account in known.values()}
    asked = _merges(cli, tasks) if merged else None
    states, why = (asked.states, asked.why) if asked else (None, "see --merged")
    found = stats(tasks, by, since, names, states, why)
    if as_json:
        json_out(found.model_dump(mode="json"))
    elif not found.rows:
        say("No run has ended yet. See: cw status")
    else:
        _tell(found)


def _merges(cli: Cli, tasks: list[TaskSum]) -> Merges:
    """What stands in the way is said; the rest is shown all the same."""
    from cw.operations.views.merges import Merges, merges

    try:
        return merges(tasks, cli.github, cli.github.reader(cli.store.github))
    except CwError as error:
        return Merges({}, error.line())


def _tell(found: Stats) -> None:
    columns = [
        Column(found.by, gives=True),
        Column("tasks", right=True),
        Column("success", right=True),
        Column("p50", right=True),
        Column("p95", right=True, wide=70),
        Column("runs/task", right=True, wide=90),
        Column("cost", right=True, wide=90),
        Column("cost/task", right=True),
        Column("PRs", right=True),
        Column("cost/PR", right=True),
        Column("merged", right=True),
        Column("cost/merged", right=True),
    ]
    table(columns, [_cells(row) for row in (*found.rows, found.total)])
    total = found.total
    if total.estimated:
        say(f"~ {total.estimated} runs that were ended before they told all of their cost")
    if total.unknown:
        say(f"+ {total.unknown} runs whose cost nobody heard of")
    if total.unasked:
        say(f"pull requests: {_asked(total)} ({found.not_asked})")


def _asked(total: StatsRow) -> str:
    if total.unasked == total.pulls:
        return "not asked whether they were merged"
    return f"{total.unasked} of {total.pulls} are not known to be merged or not"


def _cells(row: StatsRow) -> list[str]:
    judged = row.succeeded + row.failed
    rate = "" if row.success_rate is None else f"{row.success_rate:.0%} of {judged}"
    ran = "" if row.runs_per_task is None else f"{row.runs_per_task:.1f}"
    merged = "" if row.merged is None else "?" if row.unasked == row.pulls > 0 else str(row.merged)
    return [
        one_line(row.name),
        str(row.tasks),
        rate,
        duration(row.p50_s),
        duration(row.p95_s),
        ran,
        _dollars(row, row.usd if row.usd or not row.unknown else None),
        _dollars(row, row.usd_per_task),
        str(row.pulls),
        _dollars(row, row.usd_per_pull) if row.pulls else "",
        merged + "+" * bool(row.merged and row.unasked),
        _dollars(row, row.usd_per_merged) if row.merged else "",
    ]


def _dollars(row: StatsRow, usd: float | None) -> str:
    """`?`: not known; `+`: at least."""
    if usd is None:
        return "?"
    return money(usd, estimated=bool(row.estimated)) + "+" * bool(row.unknown)
