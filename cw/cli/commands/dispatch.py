"""`cw dispatch`: give work to a worker or to the pool."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cw.budgets.ceilings import Amount
from cw.cli.arguments.completion import (
    complete_issues,
    complete_models,
    complete_repos,
    complete_workers,
)
from cw.cli.arguments.issues import read_issues
from cw.cli.arguments.params import budget_options, checked, json_option
from cw.cli.arguments.prompt import is_ignored, read_prompt
from cw.cli.context import Cli, with_cli
from cw.cli.dispatching import dispatch_one
from cw.cli.views.render import json_out, note, say
from cw.errors import CwError, UnavailableError
from cw.names import POOL_QUEUE, tag_name, worker_id, worker_queue
from cw.operations.fleet.references import short_id
from cw.repos import parse_repo
from cw.states import Mode

if TYPE_CHECKING:
    from cw.operations.dispatch.dispatching import Dispatched
    from cw.operations.dispatch.request import Request

_SEVERAL = 2


@click.command()
@click.option(
    "-r",
    "--repo",
    help="owner/repo on GitHub, or a git path or URL.",
    shell_complete=complete_repos,
)
@click.option(
    "-i",
    "--issue",
    "issues",
    metavar="N",
    multiple=True,
    shell_complete=complete_issues,
    help="The issue to work on: 22, owner/repo#22 or its URL. May be repeated, or a range: 3..6.",
)
@click.option(
    "-w",
    "--worker",
    metavar="ID",
    callback=checked(worker_id),
    shell_complete=complete_workers,
    help="Who does it. Without: the first that is free.",
)
@click.option(
    "-t",
    "--tag",
    metavar="TAG",
    callback=checked(tag_name),
    help="A worker of a machine with this tag: who could begin first.",
)
@click.option("-p", "--prompt", metavar="TEXT", help="What to do; `-` reads standard input.")
@click.option(
    "-m",
    "--model",
    metavar="NAME",
    shell_complete=complete_models,
    help="sonnet, opus, haiku or a full name.",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.FREE.value,
    help="With a prompt: what counts as done. read: a report; update: pushed commits; issue:"
    " created issues; free: any of these.",
)
@click.option(
    "--continue",
    "goes_on",
    is_flag=True,
    help="Go on with the issue's branch, whosever it is.",
)
@click.option(
    "--notify", is_flag=True, help="Tell me of its end, whichever it is, where CW_NOTIFY_TO says."
)
@budget_options
@json_option
@with_cli
def command(  # noqa: PLR0913, PLR0917  each is an option
    cli: Cli,
    repo: str | None,
    issues: tuple[str, ...],
    worker: str | None,
    tag: str | None,
    prompt: str | None,
    model: str | None,
    mode: str,
    goes_on: bool,
    notify: bool,
    ceiling: Amount,
    as_json: bool,
) -> None:
    """Give work to a worker, or to whichever is free.

    Name an issue with -i, or say what to do with -p, or both: the prompt then comes on top of the
    issue. Without -i and -p the prompt is read from standard input when that is a pipe or a file.
    With -i, standard input is read for `-p -` only.

    An issue that somebody already has is refused with exit status 3. Nothing is left behind when a
    dispatch fails. Of several issues each becomes a task of its own; one that is refused does not
    keep back the others, and the exit status is that of the first that was. With --json, several
    are a list.

    --max-usd, --max-turns and --max-minutes limit the task over all its runs, instead of
    task.max_usd and so on, and of the issue's labels (budget:5usd, budget:200turns, budget:90min).
    """
    name, numbers = read_issues(issues, repo)
    request = replace(
        _read(cli, name, numbers, prompt, model),
        worker=worker,
        tag=tag or "",
        mode=Mode(mode),
        goes_on=goes_on,
        notify=notify,
        ceiling=ceiling,
    )
    _check(cli, request)
    done, refused = _each(cli, request, numbers, tell=not as_json)
    if as_json:
        _print(done, several=len(numbers) >= _SEVERAL)
    _note(done)
    if refused:
        click.get_current_context().exit(refused.exit_code)


def _read(
    cli: Cli, repo: str, numbers: Sequence[int], prompt: str | None, model: str | None
) -> Request:
    """What has to be read and looked up of what was typed. Raises BadInputError."""
    issue = numbers[0] if numbers else None
    stdin = sys.stdin.buffer if sys.stdin else None
    chosen = cli.program.model(model or cli.settings.model)
    where = parse_repo(repo, github_url=cli.settings.github_url, cwd=Path.cwd())
    text = read_prompt(prompt, stdin, has_issue=issue is not None)
    if prompt is None and issue is not None and is_ignored(stdin):
        note("warning: standard input is not read beside -i; use -p - if it is the prompt")

    # Loaded only now: what was typed wrongly is said at once.
    from cw.operations.dispatch.request import Request

    return Request(
        repo=where,
        issue=issue,
        worker=None,
        prompt=text,
        model=chosen,
        by=cli.whoami,
        apart=(cli.settings.workers_root, cli.settings.state_dir),
        labels_up_to=cli.settings.task_ceiling,
    )


def _check(cli: Cli, request: Request) -> None:
    from cw.operations.dispatch.dispatching import check_request

    check_request(request)
    if request.notify:
        _check_notify(cli)


def _check_notify(cli: Cli) -> None:
    """What this machine says; hosts go by their own settings."""
    from cw.notices.addresses import check

    check(cli.settings.notify_to)
    if not cli.settings.notify_to:
        note("warning: CW_NOTIFY_TO is not set here; a host that has it will tell of the end")


def _each(
    cli: Cli, request: Request, numbers: Sequence[int], *, tell: bool
) -> tuple[list[Dispatched], CwError | None]:
    """What was dispatched, and the first refusal. Raises it when it is the only one, or when it
    would be that of the others, too.
    """
    done: list[Dispatched] = []
    refused = None
    for number in numbers or (None,):
        try:
            done.append(dispatch_one(cli, replace(request, issue=number)))
        except CwError as error:
            if len(numbers) < _SEVERAL or isinstance(error, UnavailableError):
                raise
            note(f"#{number} was not dispatched: {error.line()}")
            refused = refused or error
            continue
        if tell:
            _tell(cli, done[-1])
    return done, refused


def _print(done: Sequence[Dispatched], *, several: bool) -> None:
    rows = [_row(dispatched) for dispatched in done]
    json_out(rows if several else rows[0])


def _row(done: Dispatched) -> dict[str, Any]:
    spec = done.task
    return {
        "task": spec.id,
        "repo": spec.repo,
        "issue": spec.issue,
        "branch": done.branch,
        "worker": spec.wanted_worker,
        "model": spec.model,
        "state": "queued",
        "place": done.place,
        "why": "" if done.starts else done.why,
        "next": done.next,
        "queue": worker_queue(spec.wanted_worker) if spec.wanted_worker else POOL_QUEUE,
    }


def _tell(cli: Cli, done: Dispatched) -> None:
    spec = done.task
    short = short_id(cli.store, spec.id)
    line = f"worker {spec.wanted_worker}" if spec.wanted_worker else "the first free worker"
    place = ", starts now" if done.starts else f", place {done.place} in line"
    say(f"{short} {spec.label} → {line}{place}")
    if not done.starts and done.hosts_up:
        # Some reasons end with what to type already.
        hint = "" if not done.next or done.next in done.why else f". First: {done.next}"
        say(f"It waits: {done.why}{hint}")
    say(f"Follow it with: cw watch {short}")


def _note(done: Sequence[Dispatched]) -> None:
    """What whoever typed it should know, each once."""
    for said in dict.fromkeys(said for dispatched in done for said in dispatched.notes):
        note(f"note: {said}")
    if done and not done[-1].hosts_up:
        note("warning: no host is running, so nothing starts yet. Start one with: cw up")
