"""`cw review --ask`: workers read pull requests before a person does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cw.cli.context import Cli
from cw.cli.dispatching import dispatch_one
from cw.cli.merging import merger_of
from cw.cli.views.render import json_out, note, say
from cw.errors import BrokerUnavailableError, CwError
from cw.operations.dispatch.request import Request
from cw.operations.pulls.opinions import ask
from cw.operations.pulls.review_plan import entries
from cw.repos import github_repo
from cw.states import Mode

if TYPE_CHECKING:
    from cw.operations.views.reviews import OpinionRow
    from cw.pulls.record import PullRecord


def ask_workers(cli: Cli, pulls: Sequence[str], *, as_json: bool) -> None:
    planned, left = entries(merger_of(cli, wait=False), pulls)
    said: list[OpinionRow] = []
    refused = [f"{row.name}: {row.why}" for row in left]
    for entry in planned:
        try:
            row, new = _ask(cli, entry.record)
        except BrokerUnavailableError:
            raise
        except CwError as error:
            refused.append(f"{entry.record.name}: {error.line()}")
            continue
        said.append(row)
        if not as_json:
            _tell(cli, row, new=new)
    if as_json:
        json_out([row.model_dump(mode="json") for row in said])
    elif said:
        say("What they think: cw review")
    elif not refused:
        say("nothing is ready to be read. What the others wait for: cw prs")
    for line in refused:
        note(line)
    if refused:
        raise click.exceptions.Exit(1 if said else 2)


def _ask(cli: Cli, record: PullRecord) -> tuple[OpinionRow, bool]:
    def dispatch(worker: str | None, prompt: str) -> str:
        request = Request(
            repo=github_repo(record.repo, cli.settings.github_url),
            issue=None,
            worker=worker,
            prompt=prompt,
            model=cli.program.model(cli.settings.model),
            mode=Mode.READ,
            by=cli.whoami,
        )
        return dispatch_one(cli, request).task.id

    return ask(cli.store, cli.github, record, dispatch)


def _tell(cli: Cli, row: OpinionRow, *, new: bool) -> None:
    who = f"worker {row.worker}" if row.worker else "the first free worker"
    before = "" if new else ", asked before"
    did = "has read" if row.state == "done" else "reads"
    say(cli.short(f"{row.name}: {who} {did} it{before}: cw show {row.task}"))
