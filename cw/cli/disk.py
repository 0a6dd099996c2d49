"""What the disk of a worker's host holds: read where the HOME lies here, else asked of the host."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cw.cli.context import Cli
from cw.cli.views.render import note
from cw.errors import BadInputError
from cw.homes.layout import Home, homes

if TYPE_CHECKING:
    from cw.operations.fleet.remote_disk import Changes, Page
    from cw.redaction.redact import Redactor
    from cw.transcript.todos import Todo

_POLL_SECONDS = 1.0  # between two looks at a log on another host


class Disk(Protocol):
    """Every method raises HostSilentError when the host is needed and away."""

    def changes(self, task: str) -> Changes: ...

    def todo_list(self, task: str) -> list[Todo]: ...

    def archives(self, task: str = "") -> Iterator[dict[str, Any]]: ...


def disk_of(cli: Cli, worker: str | None) -> Disk:
    """Raises BadInputError for a task that no worker has had."""
    if not worker:
        raise BadInputError("no worker has begun this task yet", hint="See: cw queue")
    home = home_here(cli, worker)
    return LocalDisk(cli, home) if home else RemoteDisk(cli, worker)


def home_here(cli: Cli, worker: str) -> Home | None:
    """The worker's HOME, if it lies on this machine."""
    return next((home for home in homes(cli.settings.workers_root) if home.id == worker), None)


def clean_of(cli: Cli, home: Home) -> Redactor:
    """What is shown is pasted elsewhere: the worker's tokens are blotted out."""
    from cw.credentials.known import redactor_for

    return redactor_for(home, cli.settings, cli.environ)


class LocalDisk:
    def __init__(self, cli: Cli, home: Home) -> None:
        self._cli = cli
        self._home = home

    def changes(self, task: str) -> Changes:
        from cw.cli.local_host import ask_local
        from cw.operations.fleet.remote_disk import Changes

        (found,) = ask_local(self._cli.environ, "changes", self._home.id, task)
        return Changes.model_validate(found)

    def todo_list(self, task: str) -> list[Todo]:
        from cw.homes.pages import todo_list

        clean = clean_of(self._cli, self._home)
        found = todo_list(self._home, task)
        return [todo.model_copy(update={"subject": clean(todo.subject)}) for todo in found]

    def archives(self, task: str = "") -> Iterator[dict[str, Any]]:
        from cw.homes.archives import archives, task_of

        found = archives(self._home, _tell_unreadable)
        return (data for _, data in found if task in {"", task_of(data)})


def _tell_unreadable(path: Path) -> None:
    note(f"warning: {path} cannot be read and is passed over. To be rid of it: rm {path}")


class RemoteDisk:
    def __init__(self, cli: Cli, worker: str) -> None:
        from cw.broker.app import send_ask
        from cw.operations.fleet.ask import ask

        send = partial(send_ask, cli.app)
        self._ask = partial(ask, cli.store, send, worker=worker)

    def changes(self, task: str) -> Changes:
        from cw.operations.fleet.remote_disk import changes

        return changes(self._ask, task)

    def todo_list(self, task: str) -> list[Todo]:
        from cw.operations.fleet.remote_disk import todo_list

        return todo_list(self._ask, task)

    def archives(self, task: str = "") -> Iterator[dict[str, Any]]:
        from cw.operations.fleet.remote_disk import archives

        return archives(self._ask, task)

    def log(self, task: str, *, attempt: int = 0, follow: bool) -> Iterator[Page]:
        from cw.operations.fleet.remote_disk import log

        pause = partial(time.sleep, _POLL_SECONDS)
        return log(self._ask, task, attempt=attempt, follow=follow, pause=pause)
