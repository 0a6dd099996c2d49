"""`cw logs`: what an agent said and did, from its log where that lies here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cw.cli.context import Cli, with_cli
from cw.cli.disk import clean_of
from cw.cli.params import id_argument
from cw.cli.render import note
from cw.cli.stream import show_event
from cw.errors import CwError
from cw.operations.references import Target, resolve
from workerhost.homes.archives import is_running, log_of
from workerhost.homes.files import open_regular
from workerhost.homes.layout import Home, homes

if TYPE_CHECKING:
    from cw.models import Task

_CHUNK = 1 << 16
_LONGEST = 1 << 20  # of a line in memory; a longer one comes in pieces
_POLL_SECONDS = 0.2


@click.command()
@id_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option("--raw", is_flag=True, help="The log as claude wrote it, line by line.")
@with_cli
def command(cli: Cli, target: Target, follow: bool, raw: bool) -> None:
    """Read what an agent said and did.

    ID is a worker, for its current run or else its last one, or a task. Of a worker on another
    machine the broker's events are shown, the newest 2000; with --raw its host is asked for the log
    itself, page by page. Tokens are blotted out, but for --raw of a run that still goes on here.
    """
    if not target.settled:
        target = resolve(cli.store, target)
    if follow and target.worker:
        _await_log(cli.settings.workers_root / target.worker)
    found = find_log(homes(cli.settings.workers_root), target)
    if found is None:
        _from_store(cli, target, follow=follow, raw=raw)
        return
    home, log = found
    live = home if follow and log == home.log else None
    clean = clean_of(cli, home)
    for line, offset in read_lines(log, live):
        if raw:
            click.echo(line, nl=False)
            continue
        _show(line, offset, clean)
    if sys.stdout:
        sys.stdout.flush()


def find_log(here: list[Home], target: Target) -> tuple[Home, Path] | None:
    """The HOME and the log in it. None: not on this machine. Raises CwError: no log yet."""
    mine = [one for one in here if target.worker in {None, one.id}]
    for home in mine:
        log = log_of(home, target.task)
        if log:
            return home, log
    if target.worker and mine:
        raise CwError(
            f"worker {target.worker} has no log yet", hint="cw status shows what it waits for"
        )
    return None


def _await_log(path: Path) -> None:
    """A run that is being prepared has no log yet; the one before is not what is followed."""
    home = Home(path)
    while is_running(home) and not home.log.exists():
        time.sleep(_POLL_SECONDS)


def read_lines(log: Path, live: Home | None) -> Iterator[tuple[bytes, int]]:
    """Whole lines and where each ends. With `live`, until the run of that HOME is over.

    A line that has no end comes in pieces. The file is kept open: it is moved to the archive when
    the run has been settled.
    """
    rest, offset = b"", 0
    with open_regular(log) as file:
        while True:
            over = live is None or not is_running(live)  # before reading: its last words count
            data = file.read(_CHUNK)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                offset += len(line) + 1
                yield line + b"\n", offset
            if len(rest) > _LONGEST:
                offset += len(rest)
                yield rest, offset
                rest = b""
            if not data and over:
                break
            if not data:
                time.sleep(_POLL_SECONDS)
    if rest:
        yield rest, offset + len(rest)


def _show(line: bytes, offset: int, clean: Callable[[str], str]) -> None:
    from workerhost.agents.events import parse_line

    for event in parse_line(line, offset, datetime.now(UTC)):
        show_event(event.model_copy(update={"text": clean(event.text)}))


def _from_store(cli: Cli, target: Target, *, follow: bool, raw: bool) -> None:
    from cw.cli.watching import find_task, follow_task
    from cw.models import Event

    task = find_task(cli.store, target, also_done=True)
    if raw:
        _raw_from_host(cli, task, follow=follow)
        return
    if task.attempt:
        note(f"the log lies on host {task.host or '?'}; these are the broker's newest events")
    for one in follow_task(cli.store, task.spec.id, wait=follow):
        if isinstance(one, Event):
            show_event(one)


def _raw_from_host(cli: Cli, task: Task, *, follow: bool) -> None:
    """Page by page, so that neither the broker nor we ever hold a whole log."""
    from cw.cli.disk import RemoteDisk

    if not task.worker:
        raise CwError(f"{task.spec.label} has no log yet", hint="See: cw queue")
    for data in RemoteDisk(cli, task.worker).log(task.spec.id, follow=follow):
        click.echo(data, nl=False)
        if sys.stdout:
            sys.stdout.flush()
