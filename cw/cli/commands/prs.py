"""`cw prs`: pull requests of tasks, until they are merged or closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cw.cli.arguments.completion import complete_pulls
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.passing import finish
from cw.cli.views.render import Column, duration, json_out, money, one_line, say, table

if TYPE_CHECKING:
    from datetime import datetime

    from cw.operations.views.pulls import PullRow

_STATES = [
    "watching",
    "checking",
    "repairing",
    "reviewing",
    "needs-you",
    "hands-off",
    "ready",
    "merged",
    "closed",
]
_COLUMNS = [
    Column("pull request", gives=True),
    Column("issue", right=True),
    Column("state", state=True),
    Column("worker"),
    Column("checks", gives=True),
    Column("conflicts", wide=120),
    Column("review", wide=120),
    Column("diff", right=True, wide=100),
    Column("same files as", gives=True, wide=100),
    Column("age", right=True),
    Column("rounds", right=True, wide=140),
    Column("cost", right=True, wide=100),
    Column("title", gives=True, wide=140),
    Column("waits for", folds=True),
]


@click.group(
    invoke_without_command=True,
    no_args_is_help=False,
    subcommand_metavar="[resume PR]",
)
@click.option("--mine", is_flag=True, help="Only of tasks that you dispatched.")
@click.option("--repo", "-r", metavar="REPO", help="Only of this repository: owner/repo.")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--all", "everything", is_flag=True, help="Also those that were merged or closed.")
@click.option("--now", is_flag=True, help="Look at what is due at once, not when beat does.")
@json_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Pull requests of tasks, from their end until they are merged: what each waits for.

    Beat looks at them every pulls.every seconds, more seldom at what does not move, and tells of
    what only a person can mend. A person who says "stop" or "I take it from here", pushes, is
    assigned, or puts a label claude-pr-steward-* or claude-ship-* on one has it: hands off.
    docs/pull-requests.md says more.
    """
    if context.invoked_subcommand is None:
        context.invoke(_show, **options)


@with_cli
def _show(
    cli: Cli,
    *,
    mine: bool,
    repo: str | None,
    state: str | None,
    everything: bool,
    now: bool,
    as_json: bool,
) -> None:
    from cw.operations.views.pulls import pull_records, pull_rows

    wanted = (state or "").replace("-", " ")
    named = _repo_name(cli, repo) if repo else ""
    done = _look(cli) if now else None
    records = pull_records(cli.store, ended=everything or wanted in {"merged", "closed"})
    rows = [
        row
        for row in pull_rows(records, (record for record in records if record.open))
        if (not mine or row.by == cli.whoami)
        and (not named or row.repo.lower() == named.lower())
        and (not wanted or row.state == wanted)
    ]
    if as_json:
        json_out([row.model_dump(mode="json") for row in rows])
    elif not rows:
        say("No pull request of a task is open." if not (mine or repo or state) else "None.")
    else:
        at = cli.store.tasks.now()
        table(_COLUMNS, [_cells(row, at) for row in rows])
        for name, lacks in {row.repo: row.lacks for row in rows if row.lacks}.items():
            say(
                f"Checks of {one_line(name)} are not readable with this token. "
                f"Give it {one_line(' and '.join(lacks))}."
            )
    if done:
        finish(done)


def _look(cli: Cli) -> Any:
    from cw.operations.pulls.follow import follow

    return follow(cli.ways)


def _repo_name(cli: Cli, typed: str) -> str:
    """Raises BadInputError for what is not on GitHub."""
    from pathlib import Path

    from cw.errors import BadInputError
    from cw.repos import parse_repo

    found = parse_repo(typed, github_url=cli.settings.github_url, cwd=Path.cwd())
    if not found.github:
        raise BadInputError(f"{typed} is not on GitHub", hint="Use a name such as acme/app")
    return found.name


def _cells(row: PullRow, now: datetime) -> list[str]:
    return [
        f"{row.repo}#{row.number}",
        f"#{row.issue}" if row.issue else "",
        row.state,
        row.worker,
        row.checks,
        row.conflicts,
        "draft" if row.draft else row.review,
        f"+{row.added} -{row.removed}" if row.files else "",
        _shares(row),
        duration(now - row.at).split()[0],
        str(row.rounds or ""),
        money(row.cost_usd, estimated=row.cost_estimated),
        row.title,
        row.waits,
    ]


def _shares(row: PullRow) -> str:
    names = ", ".join(f"#{number}" for number in row.shares)
    cut = f"(of {row.compared} of {row.files} files)" if row.compared < row.files else ""
    return f"{names} {cut}".strip() if row.shares or row.compared else ""


@command.command("resume")
@click.argument("pull", metavar="PR", shell_complete=complete_pulls)
@json_option
@with_cli
def resume(cli: Cli, pull: str, as_json: bool) -> None:
    """Give a pull request back that a person had taken: it is followed again.

    PR is owner/repo#12, its URL, or its number where no other repository has it. What is said or
    done at it from now on counts again.
    """
    from cw.operations.pulls.giving_back import give_back
    from cw.operations.views.pulls import pull_rows

    record = give_back(cli.store, pull)
    cli.audit.add("prs resume", cli.whoami, pull=record.name)
    if as_json:
        (row,) = pull_rows([record], cli.store.pulls.open())
        json_out(row.model_dump(mode="json"))
        return
    say(f"{one_line(record.name)} is followed again")
