"""What a run needs: of its host, and of the lease it holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cw.audit import Audit
from cw.credentials.agentenv import agent_environment, remote_environment
from cw.credentials.known import redactor_for
from cw.homes import journal
from cw.homes.files import read_regular
from cw.homes.journal import Journal
from cw.homes.layout import Home
from cw.models import TaskSpec
from cw.names import MAX_PROMPT_BYTES
from cw.redaction.redact import Redactor
from cw.settings import Settings
from cw.store.lease_values import LiveRun
from cw.store.signing import prompt_sha256
from cw.store.store import Store
from workerhost.agents import launch
from workerhost.clones.git import Git
from workerhost.github.token_access import Access
from workerhost.probing.proof import Proof
from workerhost.programs.runner import Runner
from workerhost.runs.home_accounts import HomeAccounts
from workerhost.runs.lease_renewal import Lease
from workerhost.shutdown import Leaving
from workerhost.unexpected_errors import Troubles
from workerhost.walls.isolation import Wall
from workerhost.walls.room import Room

if TYPE_CHECKING:
    from cw.forges.client import Client


log = logging.getLogger("workerhost.holding")


@dataclass(frozen=True, slots=True)
class Context:
    """The host, as its runs see it."""

    settings: Settings
    store: Store
    wall: Wall
    host_env: Mapping[str, str]
    leaving: Leaving
    access: Access
    github_for: Callable[[str], Client | None]
    audit: Audit
    proof: Proof
    runner: Runner  # of the agents that start here
    settled: Callable[[], None]  # something was recorded: deliver, look for more
    accounts: HomeAccounts
    troubles: Troubles = field(default_factory=Troubles)


@dataclass(frozen=True, slots=True)
class Holding:
    """One task, one identity, one fence."""

    ctx: Context
    home: Home
    task_id: str
    fence: int
    env: dict[str, str]
    lease: Lease

    @property
    def redact(self) -> Redactor:
        """Of this moment: tokens change while a run goes on."""
        return redactor_for(self.home, self.ctx.settings, self.ctx.host_env)

    @property
    def room(self) -> Room:
        return Room(self.home, self.ctx.wall, self.ctx.settings)

    def ours(self) -> bool:
        """Whether this HOME still is in the middle of our run. False when another host process has
        taken it over, which only happens when two of them use the same HOMEs.
        """
        return _ours(self.home, self.fence)

    def git(self, book: Journal) -> Git:
        path = book.task.repo_path
        origin = Path(path) if path else None
        ctx = self.ctx
        spec = book.current
        login = partial(self._login, spec.repo) if spec.github else dict
        return Git(
            self.home,
            ctx.wall,
            self.env,
            ctx.settings,
            origin,
            ctx.leaving.detach,
            login,
            spec.repo_url,
        )

    def _login(self, repo: str) -> dict[str, str]:
        token = self.ctx.access.token(self.home, repo)
        return remote_environment(self.home, self.ctx.settings, token)


def hold(ctx: Context, home: Home, book: Journal) -> Holding:
    env = agent_environment(home, ctx.settings, ctx.host_env)
    settings = ctx.settings
    lease = Lease(
        lambda: _renew(ctx, home, book),
        ttl=settings.lease_ttl,
        every=settings.lease_renew,
        margin=settings.lease_margin,
        # At once, not when the follower notices: it may be waiting for the broker.
        on_lost=lambda: _ours(home, book.run.fence) and launch.stop(home),
    )
    return Holding(ctx, home, book.task.id, book.run.fence, env, lease)


def _ours(home: Home, fence: int) -> bool:
    book = journal.read(home)
    return book is not None and book.run.fence == fence


def _renew(ctx: Context, home: Home, book: Journal) -> bool:
    """A broker that was emptied meanwhile is told of the run again, instead of ending it."""
    fence, ttl = book.run.fence, ctx.settings.lease_ttl
    return ctx.store.tasks.renew(book.task.id, fence, ttl) or restore(ctx, home, book)


def restore(ctx: Context, home: Home, book: Journal) -> bool:
    """False: the broker knows the task after all."""
    run = book.run
    known = LiveRun(
        worker=run.worker,
        host=run.host,
        fence=run.fence,
        attempt=run.attempt,
        session=run.session,
        prompt=prompt_as_dispatched(home, book.task),
        start=book.start,
    )
    restored = ctx.store.tasks.restore(book.task, known, ctx.settings.lease_ttl)
    if restored:
        log.warning("the broker had forgotten a run; recorded again task=%s", book.task.id)
    return restored


def prompt_as_dispatched(home: Home, spec: TaskSpec) -> str:
    """What the task was dispatched with, as its run began with it."""
    try:
        text = read_regular(home.wanted, MAX_PROMPT_BYTES).decode()  # line ends as they were
    except (OSError, UnicodeDecodeError):
        return ""
    return text if prompt_sha256(text) == spec.prompt_sha256 else ""
