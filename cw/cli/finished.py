"""Finished tasks and runs, from the broker, from all hosts, or from this machine's disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cw.cli.context import Cli
from cw.cli.views.render import note
from cw.errors import BrokerUnavailableError, CwError

if TYPE_CHECKING:
    from cw.operations.views.history import Finished, Wanted

_CHUNK = 200  # records read at once
ALL = 1 << 30  # rows: as many as there are


def all_rows(cli: Cli, wanted: Wanted, limit: int, *, archives: bool) -> list[Finished]:
    """What the broker remembers, newest first; with `archives` of every host that is up, one row a
    run. Those of this machine when the broker is away.
    """
    from cw.operations.views.history import merge, newest, take

    try:
        rows = take(_records(cli), wanted, limit)
        unknown = not rows and (wanted.worker or wanted.task)
        if archives or unknown:
            rows = merge(rows, _asked(cli, wanted, limit))
    except BrokerUnavailableError as error:
        note(f"warning: {error.message}; these are the archives of this machine")
        return local_rows(cli, wanted, limit)
    return newest(rows, limit)


def _records(cli: Cli) -> Iterator[Finished]:
    from cw.operations.views.history import from_record

    skip = 0
    while skip < cli.store.tasks.done_count():
        tasks = cli.store.tasks.done_tasks(_CHUNK, skip)
        yield from (row for task in tasks if (row := from_record(task)))
        skip += _CHUNK


def local_rows(cli: Cli, wanted: Wanted, limit: int) -> list[Finished]:
    """The archives of this machine's HOMEs, newest first."""
    from cw.cli.disk import LocalDisk
    from cw.homes.layout import homes
    from cw.operations.views.history import newest, take

    rows: list[Finished] = []
    for home in homes(cli.settings.workers_root):
        rows += take(_readable(LocalDisk(cli, home).archives()), wanted, limit)
    return newest(rows, limit)


def _asked(cli: Cli, wanted: Wanted, limit: int) -> list[Finished]:
    """Of every worker, from its disk. A host that is away is said, not waited for."""
    from cw.cli.disk import disk_of
    from cw.operations.views.history import take

    rows: list[Finished] = []
    silent: set[str] = set()
    for worker in cli.store.fleet.workers():
        if wanted.worker not in {None, worker.id} or worker.host in silent:
            continue
        try:
            archived = disk_of(cli, worker.id).archives(wanted.task or "")
            rows += take(_readable(archived), wanted, limit)
        except BrokerUnavailableError:
            raise
        except CwError as error:
            silent.add(worker.host)
            note(f"{error.message}; its archives are left out")
    return rows


def _readable(archived: Iterator[dict[str, Any]]) -> Iterator[Finished]:
    from cw.operations.views.history import from_archive

    for data in archived:
        row = from_archive(data)
        if row:
            yield row
        else:
            task = data.get("task")
            which = f"task {task.get('id')}" if isinstance(task, dict) else "no task"
            note(f"warning: an archive of {which} could not be understood and is passed over")
