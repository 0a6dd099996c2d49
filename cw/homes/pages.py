"""Pages of what a HOME keeps, for machines that do not have it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from cw.errors import CwError
from cw.homes.archives import agent_of, archives, is_running, log_of, logs_of, task_of
from cw.homes.files import open_regular, read_json
from cw.homes.layout import Home
from cw.models import Event
from cw.programs.known import program_named
from cw.redaction.redact import Redactor
from cw.transcript.loglines import log_lines
from cw.transcript.todos import KINDS, Todo, todos

ARCHIVES_PAGE = 50
_MARGIN = 8192  # bytes; no secret is longer, so none is cut in two by the end of a page


def log_page(
    home: Home, task: str, offset: int, limit: int, clean: Redactor, attempt: int = 0
) -> dict[str, Any]:
    """`{data, offset, end, live, agent}`: base64 of the next bytes, where the next page starts,
    whether the page reached the end, whether the log may still grow, and which program wrote it. As
    it was written, but for secrets, which keep their length. `offset`, `limit`: bytes. `attempt` 0:
    the newest. Raises OSError.
    """
    path = log_of(home, task or None, attempt)
    if path is None:
        return {"data": "", "offset": offset, "end": True, "live": _prepares(home, task)}
    live = path == home.log and is_running(home)  # before reading: its last words count
    start = max(0, offset - _MARGIN)
    with open_regular(path) as file:
        file.seek(start)
        around = file.read(offset - start + limit + _MARGIN)
    if live and len(around) < offset - start + limit + _MARGIN:
        around = around[: around.rfind(b"\n") + 1]  # half a line may be half a secret
    data = clean.same_length(around)[offset - start :][:limit]
    end = offset - start + limit >= len(around)
    return {
        "data": base64.b64encode(data).decode(),
        "offset": offset + len(data),
        "end": end,
        "live": live,
        "agent": agent_of(home, path),
    }


def archives_page(home: Home, task: str, skip: int, limit: int) -> dict[str, Any]:
    """`{archives, end}`: what completed/ says of all runs (`task` empty), or of one task's, newest
    first; whether there are no more. `skip`, `limit`: archives.
    """
    mine = (data for _, data in archives(home) if task in {"", task_of(data)})
    found = list(islice(mine, skip, skip + limit + 1))
    return {"archives": found[:limit], "end": len(found) <= limit}


def todo_list(home: Home, task: str) -> list[Todo]:
    """From the logs of all runs of a task, which keep what the broker's stream has dropped."""
    return todos(event for _, path in logs_of(home, task) for event in _todo_events(home, path))


def _todo_events(home: Home, path: Path) -> Iterator[Event]:
    """None of a log whose program is not here any more."""
    try:
        program, at = program_named(agent_of(home, path)), datetime.now(UTC)
    except CwError:
        return
    with open_regular(path) as file:
        for line in log_lines(file):
            if any(mark in line for mark in program.todo_marks):
                yield from (event for event in program.events(line, 0, at) if event.kind in KINDS)


def _prepares(home: Home, task: str) -> bool:
    """Whether a run of this task, or any, is about to write its first line."""
    return is_running(home) and task in {"", task_of(read_json(home.journal))}
