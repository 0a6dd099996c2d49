"""A task's repository under the name it has now: renamed, or given to another owner, since."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from cw.errors import CwError
from cw.homes import journal
from cw.homes.journal import Journal
from cw.models import Event
from workerhost.runs.event_publishing import publish
from workerhost.runs.run_context import Holding

log = logging.getLogger("workerhost.naming")


def called_now(held: Holding, book: Journal) -> Journal:
    """What GitHub does not tell stays as it was; whoever asks on finds out why."""
    task, github = book.task, held.ctx.github_for(held.home.id) if book.task.github else None
    if github is None:
        return book
    try:
        name = github.name_of(task.repo, task.repo_id)
    except CwError as error:
        log.warning("name not known repo=%s task=%s: %s", task.repo, task.id, error)
        return book
    if name == book.current.repo:
        return book
    said = f"{book.current.repo} is called {name} now"
    log.info("%s task=%s", said, task.id)
    publish(held, [Event(at=datetime.now(UTC), kind="note", text=said)])
    book = book.model_copy(update={"renamed": "" if name == task.repo else name})
    journal.write(held.home, book)
    return book
