"""What the disk of a worker's host holds: read where the HOME lies here, else asked of the host."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cw.cli.context import Cli
from cw.cli.render import note
from cw.errors import BadInputError
from workerhost.homes.layout import Home, homes

if TYPE_CHECKING:
    from cw.operations.remote import Changes
    from cw.operations.todos import Todo
    from workerhost.redaction.redact import Redactor

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
    return next((one for one in homes(cli.settings.workers_root) if one.id == worker), None)


def clean_of(cli: Cli, home: Home) -> Redactor:
    """What is shown is pasted elsewhere: the worker's tokens are blotted out."""
    from workerhost.credentials.known import redactor_for

    return redactor_for(home, cli.settings, cli.environ)


class LocalDisk:
    def __init__(self, cli: Cli, home: Home) -> None:
        self._cli = cli
        self._home = home

    def changes(self, task: str) -> Changes:
        from cw.operations.remote import Changes
        from workerhost.clones.changes import changes
        from workerhost.credentials.agentenv import agent_environment
        from workerhost.walls.isolation import choose_wall

        settings = self._cli.settings
        env = agent_environment(self._home, settings, self._cli.environ)
        found = changes(self._home, choose_wall(settings), settings, env, task)
        return Changes.model_validate(clean_of(self._cli, self._home).deep(found))

    def todo_list(self, task: str) -> list[Todo]:
        from workerhost.inbox.pages import todo_list

        clean = clean_of(self._cli, self._home)
        found = todo_list(self._home, task)
        return [one.model_copy(update={"subject": clean(one.subject)}) for one in found]

    def archives(self, task: str = "") -> Iterator[dict[str, Any]]:
        from workerhost.homes.archives import archives, task_of

        found = archives(self._home, _tell_unreadable)
        return (data for _, data in found if task in {"", task_of(data)})


def _tell_unreadable(path: Path) -> None:
    note(f"warning: {path} cannot be read and is passed over. To be rid of it: rm {path}")


class RemoteDisk:
    def __init__(self, cli: Cli, worker: str) -> None:
        from cw.broker import send_ask
        from cw.operations.ask import ask

        send = partial(send_ask, cli.app)
        self._ask = partial(ask, cli.store, send, worker=worker)

    def changes(self, task: str) -> Changes:
        from cw.operations.remote import changes

        return changes(self._ask, task)

    def todo_list(self, task: str) -> list[Todo]:
        from cw.operations.remote import todo_list

        return todo_list(self._ask, task)

    def archives(self, task: str = "") -> Iterator[dict[str, Any]]:
        from cw.operations.remote import archives

        return archives(self._ask, task)

    def log(self, task: str, *, attempt: int = 0, follow: bool) -> Iterator[bytes]:
        from cw.operations.remote import log

        pause = partial(time.sleep, _POLL_SECONDS)
        return log(self._ask, task, attempt=attempt, follow=follow, pause=pause)
