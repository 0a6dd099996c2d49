"""What a worker has changed so far: its branch against the base, committed or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cw.errors import BadInputError
from cw.settings import Settings
from workerhost.clones.git import Git
from workerhost.homes import archives, journal
from workerhost.homes.files import read_json
from workerhost.homes.journal import Journal
from workerhost.homes.layout import Home
from workerhost.walls.isolation import Wall

_DIFF_CAP = 400_000  # characters; what is longer is cut, and says so
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color")


def changes(
    home: Home, wall: Wall, settings: Settings, env: dict[str, str], task: str = ""
) -> dict[str, Any]:
    """`{task, branch, base, stat, commits, status, diff, cut}` of a task, or else of the current
    run, or else of the last one. Changes nothing.

    Raises BadInputError when there is none, or its clone or branch is gone.
    """
    book = next((one for one in _books(home) if task in {"", one.task.id}), None)
    if book is None or not Path(book.run.clone or "/nonexistent").is_dir():
        about = f" of task {task}" if task else ""
        raise BadInputError(f"worker {home.id} has no clone{about} to compare")
    at, base = Path(book.run.clone), f"origin/{book.run.base}"
    path = book.task.repo_path
    git = Git(home, wall, env, settings, Path(path) if path else None)
    tip = _tip(git, at, book.task.branch)
    fork = git.run("merge-base", base, tip, at=at).out or base
    range_ = [fork] if tip == "HEAD" else [fork, tip]
    diff = git.run("diff", *_PLAIN, *range_, "--", at=at, exact=True).out
    return {
        "task": book.task.id,
        "branch": book.task.branch,
        "base": book.run.base,
        "commits": git.run("log", "--oneline", "--no-color", f"{fork}..{tip}", "--", at=at).out,
        "stat": git.run("diff", *_PLAIN, "--stat=74", *range_, "--", at=at, exact=True).out,
        "status": git.run("status", "--short", at=at, exact=True).out if tip == "HEAD" else "",
        "diff": diff[:_DIFF_CAP],
        "cut": len(diff) > _DIFF_CAP,
    }


def _tip(git: Git, at: Path, branch: str) -> str:
    """HEAD, with what is not committed, while the clone is on the branch; else the branch itself,
    because the worker is at something else by now.
    """
    if git.run("symbolic-ref", "--short", "-q", "HEAD", at=at).out == branch:
        return "HEAD"
    tip = f"refs/heads/{branch}"
    if not git.run("rev-parse", "--verify", "-q", tip, at=at).ok:
        raise BadInputError(f"branch {branch} is no longer in the clone of worker {git.home.id}")
    return tip


def _books(home: Home) -> Iterator[Journal]:
    """The current run, then the earlier ones, newest first."""
    for data in (read_json(home.journal), *(one for _, one in archives.archives(home))):
        found = journal.parse(data) if data else None
        if found:
            yield found
