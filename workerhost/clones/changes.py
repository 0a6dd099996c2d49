"""What a worker has changed so far: its branch against the base, committed or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cw.errors import BadInputError, WorkspaceError
from cw.homes import archives, journal
from cw.homes.files import read_json
from cw.homes.journal import Journal
from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.clones.done import Done
from workerhost.clones.git import Bounds, Git
from workerhost.clones.host_repositories import BusyError, looking
from workerhost.clones.lens import Lens, lens
from workerhost.clones.workspace import is_clone
from workerhost.walls.isolation import Wall

_DIFF_CAP = 400_000  # bytes; what is longer is cut, and says so
_WORDS = Bounds(text=100_000)
_DIFF = Bounds(text=_DIFF_CAP)
_BUSY_SECONDS = 3.0
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty")


def changes(
    home: Home,
    wall: Wall,
    settings: Settings,
    env: dict[str, str],
    task: str = "",
    *,
    seconds: float = 20.0,
) -> dict[str, Any]:
    """`{task, branch, base, stat, commits, status, diff, cut}` of a task, or else of the current
    run, or else of the last one. Changes nothing. Takes about `seconds` at most.

    Raises BadInputError when there is none, its clone or branch is gone or cannot be looked at, or
    the host works in the clone itself now.
    """
    book = next((book for book in _books(home) if task in {"", book.task.id}), None)
    if book is None or not is_clone(Path(book.run.clone)):
        about = f" of task {task}" if task else ""
        raise BadInputError(f"worker {home.id} has no clone{about} to compare")
    git = Git(home, wall, env, settings).within(seconds)
    try:
        with looking(settings, home, _BUSY_SECONDS), lens(git, Path(book.run.clone)) as seen:
            return _compared(seen, book)
    except BusyError as error:
        raise BadInputError(
            "the host prepares or settles this run now", hint="Try again in a moment"
        ) from error
    except WorkspaceError as error:
        raise BadInputError(
            f"the clone of worker {home.id} cannot be compared: {error.message}"
        ) from error


def _compared(seen: Lens, book: Journal) -> dict[str, Any]:
    base, tip = f"refs/remotes/origin/{book.run.base}", _tip(seen, book)
    fork = _fork(seen, base, tip, book)
    range_ = [fork] if tip == "HEAD" else [fork, tip]
    diff = seen.run("diff", *_PLAIN, *range_, "--", bounds=_DIFF)
    status = ("status", "--short", "--ignore-submodules=dirty")
    return {
        "task": book.task.id,
        "branch": book.current.branch,
        "base": book.run.base,
        "commits": _told(seen, "log", "--oneline", "--no-color", f"{fork}..{tip}", "--").strip(),
        "stat": _told(seen, "diff", *_PLAIN, "--stat=74", *range_, "--"),
        "status": _told(seen, *status) if tip == "HEAD" else "",
        "diff": diff.out or _too_large(diff, "diff"),
        "cut": bool(diff.over),
    }


def _fork(seen: Lens, base: str, tip: str, book: Journal) -> str:
    """Where its work begins. Once it is merged the base has all of it: then from where its first
    run found the base.
    """
    fork = seen.run("merge-base", base, tip).out.strip()
    began = book.start.base_sha if book.start else book.run.base_sha
    if began and fork == seen.run("rev-parse", "--verify", "-q", tip).out.strip():
        fork = seen.run("merge-base", began, tip).out.strip() or fork
    return fork or base


def _told(seen: Lens, *args: str) -> str:
    """With a last line that says so when it was cut."""
    done = seen.run(*args, bounds=_WORDS)
    return done.out + _too_large(done, args[0])


def _too_large(done: Done, what: str) -> str:
    return f"(too large to be shown whole: git {what} took {done.over})\n" if done.over else ""


def _tip(seen: Lens, book: Journal) -> str:
    """HEAD, with what is not committed, while the clone is on the branch; else the branch itself,
    because the worker is at something else by now; once that is gone with a merge, where its run
    left it, as long as git has that.
    """
    branch, left = book.current.branch, book.outcome.head if book.outcome else ""
    if seen.branch == branch:
        return "HEAD"
    for tip in (f"refs/heads/{branch}", left):
        if tip and seen.run("rev-parse", "--verify", "-q", f"{tip}^{{commit}}").ok:
            return tip
    raise BadInputError(f"branch {branch} is no longer in the clone of worker {seen.git.home.id}")


def _books(home: Home) -> Iterator[Journal]:
    """The current run, then the earlier ones, newest first."""
    for data in (read_json(home.journal), *(archive for _, archive in archives.archives(home))):
        found = journal.parse(data) if data else None
        if found:
            yield found
