"""`cw merge`: merge pull requests of tasks that are ready."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.completion import complete_pulls
from cw.cli.arguments.params import json_option
from cw.cli.context import Cli, with_cli
from cw.cli.merging import merger_of
from cw.cli.views.render import Column, json_out, note, one_line, say, table

if TYPE_CHECKING:
    from cw.operations.pulls.merge import Merger, MergeRow

_METHODS = ["squash", "merge", "rebase"]
_COLUMNS = [
    Column("pull request"),
    Column("method"),
    Column("head"),
    Column("same files as", gives=True),
    Column("title", gives=True),
]
_SHA = 12


@click.command()
@click.argument("pulls", metavar="PR...", nargs=-1, required=True, shell_complete=complete_pulls)
@click.option("--method", type=click.Choice(_METHODS), help="Not the repository's preferred one.")
@click.option("--wait", is_flag=True, help="Wait for the checks of each, as long as they run.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be merged, and how.")
@json_option
@with_cli
def command(
    cli: Cli,
    *,
    pulls: tuple[str, ...],
    method: str | None,
    wait: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Merge pull requests of tasks that are ready, in an order that conflicts least.

    PR is owner/repo#12, its URL, or its number where no other repository has it. Each is looked at
    again before its turn, and merged with the head that was shown: one that moved, or is not ready
    any more, is left, and the others go on. Exit status 1: some were left; 2: none was ready.
    """
    from cw.forges.pulls import MergeMethod
    from cw.operations.pulls.merge_plan import plan

    merger = merger_of(cli, wait=wait)
    rows = plan(merger, pulls, MergeMethod(method) if method else None)
    planned = [row for row in rows if row.result == "planned"]
    left = [row for row in rows if row.result == "left"]
    if not as_json:
        _show(planned)
    for row in left:
        _tell(row, as_json=as_json)
    done = planned
    if planned and not dry_run:
        _ask(len(planned), yes=yes)
        done = _merge(cli, merger, planned, as_json=as_json)
    if as_json:
        json_out([row.model_dump(mode="json") for row in (*done, *left)])
    _finish(left, done)


def _show(rows: list[MergeRow]) -> None:
    if rows:
        table(
            _COLUMNS,
            [
                [
                    row.name,
                    row.method,
                    row.head[:_SHA],
                    ", ".join(f"#{number}" for number in row.shares),
                    row.title,
                ]
                for row in rows
            ],
        )


def _ask(count: int, *, yes: bool) -> None:
    if yes or not sys.stdin or not sys.stdin.isatty():
        return
    these = "this pull request" if count == 1 else f"these {count} pull requests, in this order"
    if not click.confirm(f"Merge {these}?", err=True):
        note("nothing was merged")
        raise click.exceptions.Exit(1)


def _merge(cli: Cli, merger: Merger, rows: list[MergeRow], *, as_json: bool) -> list[MergeRow]:
    """What became of each, written down as it happens."""
    done: list[MergeRow] = []
    with _interrupted(rows, done):
        for row in merger.merge(rows):
            done.append(row)
            if row.result == "merged":
                facts = {"pull": row.name, "head": row.head, "method": row.method}
                cli.audit.add("merge", cli.whoami, **facts, commit=row.commit)
            _tell(row, as_json=as_json)
    return done


@contextmanager
def _interrupted(rows: list[MergeRow], done: list[MergeRow]) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        names = ", ".join(row.name for row in rows[len(done) :])
        note(f"interrupted; not merged: {names}" if names else "interrupted")
        raise


def _tell(row: MergeRow, *, as_json: bool) -> None:
    if row.result == "left":
        note(f"{row.name} is not merged: {row.why}")
    elif not as_json:
        became = f" as {row.commit[:_SHA]}" if row.commit else ""
        say(f"{one_line(row.name)} is merged{became}")


def _finish(left: list[MergeRow], done: list[MergeRow]) -> None:
    """Nothing was to be merged: what was typed cannot be used."""
    if not done:
        raise click.exceptions.Exit(2)
    if left or any(row.result == "left" for row in done):
        raise click.exceptions.Exit(1)
