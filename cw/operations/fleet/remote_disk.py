"""What only a host's disk holds, asked of that host page by page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from cw.errors import CwError
from cw.models import MALFORMED, Model
from cw.operations.fleet.ask import Part, Verb
from cw.transcript.todos import Todo

T = TypeVar("T", bound=Model)


class Changes(Model):
    """What a worker has changed for a task: its branch against the base."""

    task: str
    branch: str
    base: str
    commits: str  # one a line, newest first
    stat: str
    status: str  # what is not committed, as git status --short
    diff: str
    cut: bool  # whether the diff was too long to be sent whole


class Page(Model):
    """A piece of a log. `live`: it may still grow. `agent`: the program that wrote it."""

    data: bytes
    offset: int  # where the next one starts
    end: bool
    live: bool
    agent: str = "claude"


class Asking(Protocol):
    """One question about one worker. See `cw.operations.fleet.ask.ask`."""

    def __call__(self, verb: Verb, *, part: Part) -> dict[str, Any]: ...


def changes(asked: Asking, task: str) -> Changes:
    return _read(Changes, asked("diff", part=Part(task)))


def todo_list(asked: Asking, task: str) -> list[Todo]:
    rows = asked("todos", part=Part(task)).get("todos")
    return [_read(Todo, row) for row in rows] if isinstance(rows, list) else []


def archives(asked: Asking, task: str = "") -> Iterator[dict[str, Any]]:
    """Newest first; asks for the next page when it is wanted."""
    skip, end = 0, False
    while not end:
        page = asked("history", part=Part(task, skip))
        found = page.get("archives")
        found = found if isinstance(found, list) else []
        yield from (archive for archive in found if isinstance(archive, dict))
        skip += len(found)
        end = bool(page.get("end", True)) or not found


def log(
    asked: Asking, task: str, *, attempt: int = 0, follow: bool, pause: Callable[[], None]
) -> Iterator[Page]:
    """The newest log, or of this attempt's. With `follow` until the run is over;
    `pause` comes between two looks.
    """
    offset = 0
    while True:
        page = _page(asked("log", part=Part(task, offset, attempt)))
        offset = page.offset
        if page.data:
            yield page
        if not page.end:
            continue
        if not (follow and page.live):
            return
        pause()


def _page(answer: dict[str, Any]) -> Page:
    try:
        data = base64.b64decode(str(answer.get("data", "")))
    except ValueError:
        data = None  # and so it is not understood
    return _read(Page, {**answer, "data": data})


def _read(model: type[T], answer: Any) -> T:
    """Hosts of another version may say more than we know."""
    given = answer if isinstance(answer, dict) else {}
    known = {name: value for name, value in given.items() if name in model.model_fields}
    try:
        return model.model_validate(known)
    except MALFORMED as error:
        raise CwError(
            "the host's answer was not understood", hint="Is it another version? See: cw doctor"
        ) from error
