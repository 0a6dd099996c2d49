"""What a run needs: of its host, and of the lease it holds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cw.settings import Settings
from cw.store.store import Store
from workerhost.agentenv import agent_environment
from workerhost.git import Git
from workerhost.journal import Journal
from workerhost.layout import Home
from workerhost.lease import Lease
from workerhost.redact import Redactor, redactor
from workerhost.sandbox import Wall

if TYPE_CHECKING:
    from cw.github.client import GitHub


log = logging.getLogger("workerhost.holding")


@dataclass(frozen=True, slots=True)
class Context:
    """The host, as its runs see it."""

    settings: Settings
    store: Store
    wall: Wall
    host_env: Mapping[str, str]
    detach: threading.Event  # the host stops; runs go on without it
    github_for: Callable[[str], GitHub | None]
    settled: Callable[[], None]  # something was recorded: deliver, look for more


@dataclass(frozen=True, slots=True)
class Holding:
    """One task, one identity, one fence."""

    ctx: Context
    home: Home
    task_id: str
    fence: int
    env: dict[str, str]
    redact: Redactor
    lease: Lease

    def git(self, book: Journal) -> Git:
        path = book.task.repo_path
        return Git(
            self.home, self.ctx.wall, self.env, self.ctx.settings, Path(path) if path else None
        )


def hold(ctx: Context, home: Home, book: Journal) -> Holding:
    env = agent_environment(home, ctx.settings, ctx.host_env)
    settings = ctx.settings
    lease = Lease(
        lambda: _renew(ctx, book),
        ttl=settings.lease_ttl,
        every=settings.lease_renew,
        margin=settings.lease_margin,
    )
    return Holding(ctx, home, book.task.id, book.run.fence, env, redactor(env), lease)


def _renew(ctx: Context, book: Journal) -> bool:
    """A broker that was emptied meanwhile is told of the run again, instead of ending it."""
    fence, ttl = book.run.fence, ctx.settings.lease_ttl
    return ctx.store.tasks.renew(book.task.id, fence, ttl) or restore(ctx, book)


def restore(ctx: Context, book: Journal) -> bool:
    """False: the broker knows the task after all."""
    run = book.run
    restored = ctx.store.tasks.restore(
        book.task,
        worker=run.worker,
        host=run.host,
        ttl=ctx.settings.lease_ttl,
        fence=run.fence,
        attempt=run.attempt,
        session=run.session,
    )
    if restored:
        log.warning("the broker had forgotten a run; recorded again task=%s", book.task.id)
    return restored
