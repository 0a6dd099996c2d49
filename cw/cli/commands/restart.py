"""`cw restart`: let tasks go on that wait for a person, or have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.budgets.ceilings import Amount
from cw.cli.arguments.completion import complete_ids
from cw.cli.arguments.params import budget_options, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.steering import several
from cw.cli.views.render import json_out, moment, note, say
from cw.operations.fleet.references import short_ids

if TYPE_CHECKING:
    from cw.models import Task
    from cw.operations.control.restart import Restarted


@click.command()
@click.argument("ids", metavar="ID|TASK...", nargs=-1, shell_complete=complete_ids)
@click.option("--all", "everyone", is_flag=True, help="All that are stopped, crashed or held.")
@click.option("--fresh", is_flag=True, help="A new session, and the branch from its start.")
@click.option("--now", "early", is_flag=True, help="Also before its account takes work again.")
@budget_options
@json_option
@with_cli
def command(
    cli: Cli,
    ids: tuple[str, ...],
    everyone: bool,
    fresh: bool,
    early: bool,
    ceiling: Amount,
    as_json: bool,
) -> None:
    """Let stopped, crashed, held or failed tasks go on.

    Each on its own worker, in the same clone and the same session. With --fresh the agent begins
    anew: the branch is what the remote has of it, else the default branch; what lay in the clone is
    kept below refs/cw/wip. Tasks that a usage limit or an outage of the API holds go on by
    themselves when it is over, and are refused before, or with --all left: the agent would be
    refused as well. --now is for a worker that has another login since, or an account that is
    served again. With --json, one that was named is an object, several are a list.

    --max-usd, --max-turns and --max-minutes are what each may take from now on over all its runs,
    those that it had included.
    """
    from cw.operations.control.restart import at_rest, limited, need_restartable, restart

    tasks = several(
        cli, ids, everyone=everyone, of_all=at_rest, nothing="nothing to restart", needs=True
    )
    now = cli.store.tasks.now()
    waiting = [task for task in tasks if everyone and not early and limited(task, now)]
    going = [task for task in tasks if task not in waiting]
    for task in going:  # all of them before any is changed
        need_restartable(task, now, early=early, ceiling=ceiling)
    done = [restart(cli.control, task, fresh=fresh, early=early, ceiling=ceiling) for task in going]
    if as_json:
        rows = [row.model_dump(mode="json") for row in done]
        json_out(rows[0] if len(ids) == 1 else rows)
        return
    short = short_ids(cli.store, [row.task for row in done])
    for row in done:
        _tell(row, short[row.task])
    for task in waiting:
        _tell_waiting(cli, task)
    if everyone and not tasks:
        say("Nothing is stopped, crashed or held")


def _tell(done: Restarted, short: str) -> None:
    who = f"worker {done.worker}" if done.worker else "the first free worker"
    how = "begins anew" if done.fresh else "goes on"
    say(f"{done.label} {how} on {who}. Follow it with: cw watch {short}")
    if done.paused:
        note(f"warning: worker {done.worker} is paused ({done.paused}): cw resume {done.worker}")
    if not done.host_up:
        note("warning: its host is not up, so nothing starts yet. Start it there: cw up")


def _tell_waiting(cli: Cli, task: Task) -> None:
    until = moment(task.not_before, cli.store.tasks.now())
    say(f"{task.spec.label} is left as it is: its account waits until {until}, then it goes on")
