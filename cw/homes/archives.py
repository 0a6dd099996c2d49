"""Reading what a HOME keeps of its runs: the current log and the archives. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cw.homes.files import read_json
from cw.homes.layout import Home


def archives(
    home: Home, bad: Callable[[Path], None] = lambda _: None, name: str = "*.json"
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The readable archives with their paths, last changed first. `bad` hears of the others.
    `name`: a pattern of theirs.
    """
    found = ((_changed(path), path) for path in home.completed.glob(name) if path.is_file())
    for _, path in sorted(found, reverse=True):
        data = read_json(path)
        if data is None:
            bad(path)
        else:
            yield path, data


def task_of(data: dict[str, Any] | None) -> str:
    """The task's id in a journal or an archive; empty when there is none."""
    task = data.get("task") if data else None
    return str(task.get("id", "")) if isinstance(task, dict) else ""


def attempt_of(data: dict[str, Any] | None) -> int:
    """The number of the run in a journal or an archive; 0 when there is none."""
    run = data.get("run") if data else None
    number = run.get("attempt") if isinstance(run, dict) else None
    return number if isinstance(number, int) else 0


def agent_of(home: Home, log: Path) -> str:
    """Which program wrote this log of the HOME; claude where nothing says so."""
    book = read_json(home.journal if log == home.log else log.with_suffix(".json"))
    run = book.get("run") if book else None
    return str(run.get("agent") or "claude") if isinstance(run, dict) else "claude"


def log_of(home: Home, task: str | None, attempt: int = 0) -> Path | None:
    """The log of a task, or of the current run, or else of the last one; of this attempt, if it
    is not 0. None: there is none.
    """
    found = (path for number, path in _logs(home, task) if attempt in {0, number})
    return next(found, None)


def logs_of(home: Home, task: str) -> list[tuple[int, Path]]:
    """The logs of a task's runs with their numbers, oldest first."""
    return [*_logs(home, task)][::-1]


def _logs(home: Home, task: str | None) -> Iterator[tuple[int, Path]]:
    """Newest first."""
    current = read_json(home.journal)
    if home.log.is_file() and task in {None, task_of(current)}:
        yield attempt_of(current), home.log
    for path, data in archives(home):
        log = path.with_suffix(".log")
        if task in {None, task_of(data)} and log.is_file():
            yield attempt_of(data), log


def is_running(home: Home) -> bool:
    """Whether the current log may still grow."""
    return home.journal.exists() and not home.exit.exists()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # moved away meanwhile
        return 0.0
