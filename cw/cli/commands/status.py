"""`cw status`: the whole fleet on one screen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from cw.cli.arguments.params import json_option, maybe_id_argument
from cw.cli.context import Cli, with_cli
from cw.cli.views.render import json_line, json_out, note, redraw, terminal_width
from cw.errors import BadInputError, BrokerUnavailableError
from cw.operations.fleet.references import Target, resolve

if TYPE_CHECKING:
    from cw.operations.views.rows import About, Overview

_EVERY_SECONDS = 1.0


@click.command()
@maybe_id_argument
@click.option("--watch", is_flag=True, help="Go on, and show what changes; Ctrl-C ends it.")
@json_option
@with_cli
def command(cli: Cli, target: Target | None, watch: bool, as_json: bool) -> None:
    """What every worker does, and what waits and why.

    With an ID, of a worker or of a task, only what concerns it. `seen` is how long ago the agent
    was last heard of; its cost is known when a run ends. A host that was silent for 45 s makes
    its workers offline. Tasks that failed and questions of agents are shown for a day, until cw
    seen, or until their issue is dispatched again. On a terminal more than ten idle workers take
    one line. --watch redraws a terminal each second; elsewhere it prints the whole again
    whenever something changed, with --json one object a line.
    """
    target = resolve(cli.store, target) if target else None
    if not watch:
        _show(cli, _seen(cli, target), as_json=as_json)
        return
    width = terminal_width()
    frames = _frames(cli, target)
    if width is None or as_json:
        for frame in _changed(frames):
            _show(cli, frame, as_json=as_json, line=True)
        return
    for seen in frames:
        redraw(_lines(cli, seen) if seen else ["The broker does not answer; trying again."])


def _show(cli: Cli, seen: Overview, *, as_json: bool, line: bool = False) -> None:
    if as_json:
        (json_line if line else json_out)(seen.model_dump(mode="json"))
        return
    for text in _lines(cli, seen, warnings=False):
        click.echo(text)
    for warning in seen.warnings:
        note(f"warning: {warning}")
    if line:
        click.echo()


def _lines(cli: Cli, seen: Overview, *, warnings: bool = True) -> list[str]:
    from cw.cli.shortids import with_short_ids
    from cw.cli.views.fleet import status_lines

    width = terminal_width()
    lines = status_lines(with_short_ids(cli.store, seen), width)
    for warning in seen.warnings if warnings else ():
        told = f"warning: {warning}"
        lines += wrap(told, width, subsequent_indent="  ") if width else [told]
    return lines


def _frames(cli: Cli, target: Target | None) -> Iterator[Overview | None]:
    """One a second; None while the broker is away. The first one must be there."""
    yield _seen(cli, target)
    while True:
        time.sleep(_EVERY_SECONDS)
        try:
            yield _seen(cli, target)
        except BrokerUnavailableError:
            yield None
        except BadInputError:  # what was asked for has come to its end
            return


def _changed(frames: Iterator[Overview | None]) -> Iterator[Overview]:
    before = None
    for seen in frames:
        if seen is None:
            continue
        now = _without_clocks(seen)
        if now != before:
            yield seen
        before = now


def _without_clocks(seen: Overview) -> Overview:
    """What changes by itself is no change."""
    still = {"elapsed_s": None, "last_at": None}
    workers = [row.model_copy(update=still) for row in seen.workers]
    return seen.model_copy(update={"at": None, "workers": workers})


def _seen(cli: Cli, target: Target | None) -> Overview:
    from cw.operations.views.unseen import with_recent
    from cw.services import trouble

    seen = with_recent(cli.store, cli.store.tasks.now())
    told = [f"{name} of this machine: {why}" for name, why in trouble.read(cli.settings).items()]
    return _only(seen.model_copy(update={"warnings": [*seen.warnings, *told]}), target)


def _only(seen: Overview, target: Target | None) -> Overview:
    """Raises BadInputError when nothing is known by that id."""
    from cw.operations.fleet.lookup import unknown_worker

    if target is None:
        return seen
    if target.worker and target.worker not in {row.worker for row in seen.workers}:
        raise unknown_worker(target.worker, (row.worker for row in seen.workers))

    def wanted(worker: str | None, about: About | None) -> bool:
        if target.worker:
            return worker == target.worker
        return about is not None and about.task == target.task

    found = seen.model_copy(
        update={
            "workers": [row for row in seen.workers if wanted(row.worker, row.about)],
            "waiting": [row for row in seen.waiting if wanted(row.worker, row.about)],
            "held": [row for row in seen.held if wanted(row.worker, row.about)],
            "stuck": [row for row in seen.stuck if wanted(row.worker, row.about)],
            "repositories": (),
            "unseen": tuple(row for row in seen.unseen if wanted(row.worker, row.about)),
            "today": None,
        }
    )
    rows = (found.workers, found.waiting, found.held, found.stuck, found.unseen)
    if target.task and not any(rows):
        raise BadInputError(
            f"no unfinished task is {target.task}",
            hint=f"When it is finished: cw show {target.task}",
        )
    return found
