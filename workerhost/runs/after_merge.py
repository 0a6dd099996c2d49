"""What a merged pull request leaves in a worker's HOME: branches, and conversations. Which they are
is read in the archives of the HOME: what the broker says of them is not gone by.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cw.credentials.agentenv import agent_environment
from cw.credentials.known import redactor_for
from cw.errors import CwError
from cw.homes import journal
from cw.homes.archives import archives
from cw.homes.journal import Journal
from cw.homes.layout import Home
from cw.names import repo_key
from workerhost.clones.git import Git
from workerhost.clones.merged_branch import Merged, remove_branch
from workerhost.programs.known import runner_named
from workerhost.runs.put_away import ENDING, put_away
from workerhost.runs.run_context import Context

if TYPE_CHECKING:
    from cw.pulls.record import PullRecord


def clear(ctx: Context, home: Home, record: PullRecord, head: str) -> str:
    """Take it away; no run is under way in this HOME meanwhile. `head`: that was merged. Returns
    what stays and why, for people; empty: nothing. May be repeated, whatever it was cut short by.
    Raises UnavailableError, HostLeavesError.
    """
    runs = list(_runs(home, record))
    stays = [*_branches(ctx, home, [book for _, book in runs], head)]
    stays += _conversations(ctx, home, runs)
    return redactor_for(home, ctx.settings, ctx.host_env)("; ".join(stays))


def _runs(home: Home, record: PullRecord) -> Iterator[tuple[Path, Journal]]:
    """Of all tasks of the pull request, the newest first, with their archives."""
    for path, data in archives(home, name=f"*-{record.issue or 'task'}-*.json"):
        book = journal.parse(data)
        if book and repo_key(book.task.repo, book.task.repo_id) == record.key[0]:
            repair = book.task.repair
            pulls = {repair.url if repair else "", book.outcome.pr if book.outcome else ""}
            if book.task.id == record.task or record.url in pulls:
                yield path, book


def _branches(ctx: Context, home: Home, books: list[Journal], head: str) -> Iterator[str]:
    latest = {(book.run.clone, name): book for book in reversed(books) for name in _names(book)}
    done = [book.outcome for book in books if book.outcome and book.outcome.pushed]
    env = agent_environment(home, ctx.settings, ctx.host_env)
    git = Git(home, ctx.wall, env, ctx.settings, leave=ctx.leaving.detach)
    for (clone, branch), book in latest.items():
        merged = Merged(
            clone=Path(clone),
            branch=branch,
            base=book.run.base,
            head=head,
            pushed=[outcome.head for outcome in done if outcome.head],
        )
        if why := remove_branch(git.within(ctx.settings.git_seconds), merged):
            yield f"branch {branch} in the clone: {why}"


def _names(book: Journal) -> set[str]:
    """An agent may have made a branch of its own."""
    own = book.outcome.branch if book.outcome else ""
    return {book.current.branch, own} - {"", book.run.base}


def _conversations(ctx: Context, home: Home, runs: list[tuple[Path, Journal]]) -> Iterator[str]:
    latest = {book.run.session: (path, book.run) for path, book in reversed(runs)}
    clean = redactor_for(home, ctx.settings, ctx.host_env)
    for path, run in latest.values():
        try:
            parts = runner_named(run.agent).conversation(home, Path(run.clone), run.session)
        except CwError as error:
            yield f"session {run.session}: {error.message}"
            continue
        target = path.with_name(path.stem + ENDING)
        if why := put_away(home, parts, target, clean):
            yield f"session {run.session}: {why}"
