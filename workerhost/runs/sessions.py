"""In which conversation a run goes on: in one that this very HOME's archives know, whatever the
record names.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from cw.homes.journal import Journal
from cw.homes.layout import Home
from cw.models import Task
from cw.operations.reconciliation.rebuilding import runs_here, runs_of_pull
from cw.reasons import Reason


@dataclass(frozen=True, slots=True)
class Session:
    """`own`: of an earlier run of the task, whose clone is as that left it. `lent`: of a task that
    worked on its pull request before.
    """

    id: str
    own: bool = False
    lent: bool = False


def offered(home: Home, wanted: Task) -> str:
    """To a task that has none yet."""
    lent = "" if wanted.fresh else _lent(home, wanted)
    return lent or str(uuid.uuid4())


def chosen(home: Home, task: Task, named: str, new: str) -> Session:
    """`named` by the record: worth nothing unless this HOME knows it. `new`: what was offered, also
    if it named none.
    """
    runs = runs_here(home, task.spec)
    if task.spec.repair:  # the conversation was there before: that proves no run in it
        runs = [book for book in runs if _had_agent(book)]
    known = [book.run.session for book in runs]
    if named in known:
        return Session(named, own=not task.fresh)
    if named != new and known:  # another worker had the task before this one
        return Session(known[-1], own=not task.fresh)
    return Session(new, lent=not task.fresh and new == _lent(home, task))


def _had_agent(book: Journal) -> bool:
    died = book.outcome is not None and book.outcome.reason == Reason.HOST_DIED
    return bool(book.run.clone) and not died


def _lent(home: Home, task: Task) -> str:
    """That its pull request was made or mended in, if it was here; empty: it was not."""
    named = task.spec.repair.session if task.spec.repair else None
    known = {book.run.session for book in runs_of_pull(home, task.spec)} if named else set()
    return named if named and named in known else ""
