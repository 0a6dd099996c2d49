"""`cw diff`: what a worker has changed so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import id_argument, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.views.paging import page
from cw.cli.views.render import diff_lines, json_out, note
from cw.escapes import escape_control
from cw.operations.fleet.references import Target

if TYPE_CHECKING:
    from cw.models import Task
    from cw.operations.fleet.remote_disk import Changes


@click.command()
@id_argument
@click.option("--stat", is_flag=True, help="Files, commits and what is not committed, no lines.")
@json_option
@with_cli
def command(cli: Cli, target: Target, stat: bool, as_json: bool) -> None:
    """What a worker has changed so far, committed or not, against where its branch began.

    ID is a worker, for the task it has or had last, or a task. The clone is read where it lies: on
    another machine its host is asked, and has to be up. New files that are not in git yet are only
    named, by --stat. What a terminal would obey is taken out; --json has every byte.
    """
    from cw.cli.watching import find_task

    task = find_task(cli.store, target, also_done=True)
    found = _changes(cli, task)
    if as_json:
        json_out(found.model_dump(mode="json"))
        return
    lines = summary_lines(found) if stat else diff_lines(found.diff)
    text = "".join(f"{line}\n" for line in lines)
    page(text)
    if not stat and not found.diff:
        note(f"nothing is changed on {found.branch} yet")
    if not stat and found.cut:
        note("the diff is longer than this; it was cut off")


def summary_lines(found: Changes) -> list[str]:
    """Branch, commits, files, and what is not committed."""
    parts = [
        (f"{found.branch} against {found.base}", ""),
        ("commits", found.commits),
        ("files", found.stat),
        ("not committed", found.status),
    ]
    lines: list[str] = []
    for title, text in parts:
        body = [f" {line}".rstrip() for line in escape_control(text).splitlines() if line]
        if body or not lines:
            lines += [title, *body]
    return lines if len(lines) > 1 else [*lines, "nothing is changed yet"]


def _changes(cli: Cli, task: Task) -> Changes:
    """Raises HostSilentError with what the record knows instead."""
    from cw.cli.disk import disk_of
    from cw.operations.fleet.ask import HostSilentError

    try:
        return disk_of(cli, task.worker).changes(task.spec.id)
    except HostSilentError as error:
        raise HostSilentError(f"{error.message}; {_known(task)}", hint=error.hint) from error


def _known(task: Task) -> str:
    done = task.outcome
    if done is None:
        return f"the record says: branch {task.branch}, {task.state.value}"
    commits = f"{done.commits} commit{'' if done.commits == 1 else 's'}"
    where = f", {done.pr}" if done.pr else ""
    return f"the record says: branch {done.branch or task.branch}, {commits}{where}"
