"""`cw logs`: what an agent said and did, from its log where that lies here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from cw.cli.arguments.params import follow_option, id_argument, json_option
from cw.cli.context import Cli, with_cli
from cw.cli.disk import clean_of
from cw.cli.views.render import json_line, note
from cw.cli.views.stream import show_event
from cw.errors import BadInputError, CwError
from cw.homes.archives import agent_of, is_running, log_of, logs_of, task_of
from cw.homes.files import open_regular, read_json
from cw.homes.layout import Home, homes
from cw.operations.fleet.references import Target, resolve
from cw.programs.known import reader

if TYPE_CHECKING:
    from cw.models import Event, Task

    Show = Callable[[Event], None]

_CHUNK = 1 << 16
_LONGEST = 1 << 20  # of a line in memory; a longer one comes in pieces
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Log:
    """Of one run, on this machine. `attempt` 0: nobody knows its number."""

    home: Home
    path: Path
    attempt: int


@click.command()
@id_argument
@follow_option("the run ends")
@click.option("--attempt", metavar="N", type=click.IntRange(1), help="Of this attempt alone.")
@click.option("--raw", is_flag=True, help="The log as the agent wrote it, line by line.")
@json_option
@with_cli
def command(
    cli: Cli, target: Target, follow: bool, attempt: int | None, raw: bool, as_json: bool
) -> None:
    """Read what an agent said and did.

    ID is a task, for all its attempts, or a worker, for its current run or else its last one. Of a
    worker on another machine the broker's events are shown, the newest 2000; with --raw or
    --attempt its host is asked for the log itself, page by page. Tokens are blotted out, but for
    --raw of a run that still goes on here. With --json each line is one event, as `cw inspect` has
    them.
    """
    if raw and as_json:
        raise BadInputError("--raw is the log as it is", hint="Give --raw or --json")
    if not target.settled:
        target = resolve(cli.store, target)
    if follow and target.worker:
        _await_log(cli.settings.workers_root / target.worker)
    show = show_event if not as_json else _as_json
    found = find_logs(homes(cli.settings.workers_root), target, attempt or 0)
    if not found:
        _from_store(cli, target, attempt or 0, show, follow=follow, raw=raw)
    for log in found:
        if len(found) > 1 and not (raw or as_json):
            _head(log.attempt, log.home.id)
        _read(cli, log, show, follow=follow, raw=raw)
    if sys.stdout:
        sys.stdout.flush()


def _read(cli: Cli, log: Log, show: Show, *, follow: bool, raw: bool) -> None:
    live = log.home if follow and log.path == log.home.log else None
    clean = clean_of(cli, log.home)
    read = reader(agent_of(log.home, log.path))
    for line, offset in read_lines(log.path, live):
        if raw:
            click.echo(line, nl=False)
            continue
        for event in read(line, offset, datetime.now(UTC)):
            show(type(event).model_validate(clean.deep(event.model_dump(mode="json"))))


def find_logs(here: list[Home], target: Target, attempt: int) -> list[Log]:
    """Those on this machine, oldest first. Raises CwError: a worker has no log yet, or a task that
    ran here not this attempt.
    """
    mine = [home for home in here if target.worker in {None, home.id}]
    found = [Log(home, path, number) for home in mine for number, path in _of(home, target)]
    if target.worker and mine and not found:
        raise CwError(
            f"worker {target.worker} has no log yet", hint="cw status shows what it waits for"
        )
    if target.worker and not attempt:
        return found[-1:]
    wanted = [log for log in found if attempt in {0, log.attempt}]
    if found and not wanted:
        known = ", ".join(str(log.attempt) for log in found)
        raise CwError(f"there is no log of attempt {attempt} here", hint=f"There is: {known}")
    return sorted(wanted, key=lambda log: log.attempt)


def _of(home: Home, target: Target) -> list[tuple[int, Path]]:
    """Of a worker those of its current task, or else its last one."""
    if target.task:
        return logs_of(home, target.task)
    log = log_of(home, None)
    book = home.journal if log == home.log else log.with_suffix(".json") if log else None
    task = task_of(read_json(book)) if book else ""
    return logs_of(home, task) if task else [(0, log)] if log else []


def _head(attempt: int, worker: str) -> None:
    click.secho(f"── Attempt {attempt or '?'}, worker {worker} ──", bold=True)


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
    with open_regular(log) as file:
        yield from whole_lines(_chunks(file, live))


def _chunks(file: IO[bytes], live: Home | None) -> Iterator[bytes]:
    while True:
        over = live is None or not is_running(live)  # before reading: its last words count
        data = file.read(_CHUNK)
        if data:
            yield data
        elif over:
            return
        else:
            time.sleep(_POLL_SECONDS)


def whole_lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """And where each ends. One that has no end comes in pieces."""
    rest, offset = b"", 0
    for data in chunks:
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            offset += len(line) + 1
            yield line + b"\n", offset
        if len(rest) > _LONGEST:
            offset += len(rest)
            yield rest, offset
            rest = b""
    if rest:
        yield rest, offset + len(rest)


def _as_json(event: Event) -> None:
    json_line(event.model_dump(mode="json"))


def _from_store(
    cli: Cli, target: Target, attempt: int, show: Show, *, follow: bool, raw: bool
) -> None:
    from cw.cli.watching import find_task, follow_task
    from cw.models import Event

    task = find_task(cli.store, target, also_done=True)
    if raw or attempt:
        every = bool(target.task) and not attempt
        numbers = range(1, task.attempt + 1) if every else (attempt,)
        for number in numbers:
            _from_host(
                cli, task, number, show, follow=follow and number in {0, task.attempt}, raw=raw
            )
        return
    if task.attempt:
        note(f"the log lies on host {task.host or '?'}; these are the broker's newest events")
    for news in follow_task(cli.store, task.spec.id, wait=follow):
        if isinstance(news, Event):
            show(news)


def _from_host(cli: Cli, task: Task, attempt: int, show: Show, *, follow: bool, raw: bool) -> None:
    """Page by page, so that neither the broker nor we ever hold a whole log."""
    from cw.cli.disk import RemoteDisk

    if not task.worker:
        raise CwError(f"{task.spec.label} has no log yet", hint="See: cw queue")
    pages = RemoteDisk(cli, task.worker).log(task.spec.id, attempt=attempt, follow=follow)
    if raw:
        for page in pages:
            click.echo(page.data, nl=False)
            if sys.stdout:
                sys.stdout.flush()
        return
    first = next(pages, None)
    if first is None:
        return
    read = reader(first.agent)
    for line, offset in whole_lines(page.data for page in chain((first,), pages)):
        for event in read(line, offset, datetime.now(UTC)):
            show(event)
