"""Runs this host finds on its disk and takes over: nothing is run again that still runs."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from cw.credentials.known import redactor_for
from cw.homes import journal
from cw.homes.journal import Journal
from cw.homes.layout import Home
from cw.operations.rest.end import taken_back
from cw.states import State
from cw.store.lease_values import Refusal
from workerhost.agents.follow import stop_and_wait
from workerhost.runs.attempt import go_on
from workerhost.runs.ends_without_proof import host_error, host_killed
from workerhost.runs.run_context import Context, hold, restore

log = logging.getLogger("workerhost.adoption")


@dataclass(frozen=True, slots=True)
class AdoptedRun:
    """A journal, and the new fence of its run."""

    home: Home
    book: Journal
    fence: int


def find(ctx: Context, home: Home) -> AdoptedRun | None:
    """The run in this HOME, with its lease taken again; None when there is none, or not for us.

    A record that moved on without us (done, or taken by a later run) wins: what is left here is
    stopped and archived. A broker that has forgotten the run is told of it. Raises
    BrokerUnavailableError.
    """
    book = journal.read(home)
    if book is None:
        return None
    was = ctx.store.tasks.get(book.task.id)
    answer = _take(ctx, home, book)
    if isinstance(answer, Refusal) and answer.reason == "gone" and restore(ctx, home, book):
        answer = _take(ctx, home, book)
    if not isinstance(answer, Refusal):
        taken_back(ctx.store, was, ctx.settings.host_name)
        return AdoptedRun(home, book, answer)
    log.warning("run was overtaken (%s) task=%s", answer.reason, book.task.id)
    stop_and_wait(home)
    if answer.reason != State.DONE:  # else it was recorded, and only the archive was missing
        book = book.model_copy(update={"phase": "overtaken"})
    journal.archive(home, book, redactor_for(home, ctx.settings, ctx.host_env))
    return None


def _take(ctx: Context, home: Home, book: Journal) -> int | Refusal:
    return ctx.store.tasks.adopt(
        book.task.id,
        worker=home.id,
        host=ctx.settings.host_name,
        ttl=ctx.settings.lease_ttl,
        fence=book.run.fence,
        restarted=True,
    )


def park(ctx: Context, found: AdoptedRun) -> str:
    """A run that hosts die of: ended, without looking at what it left."""
    stop_and_wait(found.home)
    run = found.book.run.model_copy(update={"fence": found.fence})
    book = found.book.model_copy(update={"run": run})
    held = hold(ctx, found.home, book)
    with held.lease:
        journal.write(found.home, book)
        return host_killed(held, book)


def give_up(ctx: Context, found: AdoptedRun, why: str) -> str:
    """A run that this host cannot see through, for a reason nobody foresaw."""
    stop_and_wait(found.home)
    run = found.book.run.model_copy(update={"fence": found.fence})
    book = found.book.model_copy(update={"run": run})
    held = hold(ctx, found.home, book)
    with held.lease:
        journal.write(found.home, book)
        return host_error(held, book, why)


def adopt(ctx: Context, found: AdoptedRun) -> str:
    log.info("run adopted task=%s worker=%s", found.book.task.id, found.home.id)
    return go_on(ctx, found.home, found.book, found.fence)
