"""Options and arguments that several commands take, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from cw.errors import BadInputError
from cw.names import task_id, worker_id

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]{1,6})\.\.([0-9]{1,6})")
_MOST = 200  # workers made by one range


@dataclass(frozen=True, slots=True)
class Target:
    """What an ID names. 26 letters and digits of a ULID are a task, anything else a worker."""

    worker: str | None = None
    task: str | None = None


def checked(read: Callable[[str], Any]) -> Callable[..., Any]:
    """A click callback that reads a value by one of our own rules."""

    def callback(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Any:
        return None if value is None else read(value)

    return callback


def read_target(text: str) -> Target:
    """A worker's or a task's id as typed. Raises BadInputError."""
    if _ULID.fullmatch(text):
        return Target(task=task_id(text))
    return Target(worker=worker_id(text))


def expand_ids(texts: tuple[str, ...]) -> list[str]:
    """Worker ids, with ranges such as 01..08 written out. Raises BadInputError."""
    found = [worker_id(one) for text in texts for one in _expand(text)]
    twice = sorted({one for one in found if found.count(one) > 1})
    if twice:
        raise BadInputError(f"{', '.join(twice)} given twice", hint="Give each id once")
    return list(found)


def _expand(text: str) -> list[str]:
    match = _RANGE.fullmatch(text)
    if not match:
        return [text]
    first, last, width = int(match[1]), int(match[2]), len(match[1])
    if last < first or last - first >= _MOST or len(match[2]) < width:
        raise BadInputError(
            f"{text!r} is not a range", hint=f"Use for example 01..08, of at most {_MOST} ids"
        )
    return [f"{number:0{width}}" for number in range(first, last + 1)]


id_argument = click.argument("target", metavar="ID", callback=checked(read_target))
maybe_id_argument = click.argument(
    "target", metavar="[ID]", required=False, callback=checked(read_target)
)
