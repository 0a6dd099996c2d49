"""What a worker has changed so far: its branch against the base, committed or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cw.errors import BadInputError
from workerhost import archives, journal
from workerhost.git import Git
from workerhost.holding import Context
from workerhost.layout import Home

_DIFF_CAP = 400_000  # characters; what is longer is cut, and says so


def changes(ctx: Context, home: Home, env: dict[str, str]) -> dict[str, Any]:
    """`{task, branch, base, stat, commits, status, diff, cut}` of the current run, else the last.

    Raises BadInputError when there is none, or its clone is gone.
    """
    book = journal.read(home) or _last(home)
    if book is None or not Path(book.run.clone or "/nonexistent").is_dir():
        raise BadInputError(f"worker {home.id} has no clone to compare yet")
    at, base = Path(book.run.clone), f"origin/{book.run.base}"
    path = book.task.repo_path
    git = Git(home, ctx.wall, env, ctx.settings, Path(path) if path else None)
    fork = git.run("merge-base", base, "HEAD", at=at).out or base
    plain = ("--no-ext-diff", "--no-textconv", "--no-color")
    diff = git.run("diff", *plain, fork, at=at).out
    return {
        "task": book.task.id,
        "branch": book.task.branch,
        "base": book.run.base,
        "commits": git.run("log", "--oneline", "--no-color", f"{fork}..HEAD", at=at).out,
        "stat": git.run("diff", *plain, "--stat", fork, at=at).out,
        "status": git.run("status", "--short", at=at).out,
        "diff": diff[:_DIFF_CAP],
        "cut": len(diff) > _DIFF_CAP,
    }


def _last(home: Home) -> journal.Journal | None:
    for _, data in archives.archives(home):
        found = journal.parse(data)
        if found:
            return found
    return None
