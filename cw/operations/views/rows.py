"""What `cw status` shows, row by row; the schema of its --json."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from cw.models import Model
from cw.operations.fleet.hosts import HostRow
from cw.operations.views.accounts import AccountRow
from cw.store.unreadable import Unreadable


class About(Model):
    """The task a row is about."""

    task: str
    label: str
    repo: str
    issue: int | None
    title: str
    model: str


class WorkerRow(Model):
    worker: str
    state: str  # idle, busy, held, stopped, crashed, paused, offline
    host: str
    about: About | None = None
    elapsed_s: float | None = None
    turns: int | None = None
    cost_usd: float | None = None
    cost_estimated: bool = False  # a part of it
    last: str = ""
    last_at: datetime | None = None
    paused: str = ""  # the note of whoever paused it
    account: str = ""  # the name of the one it works on; empty: its host has not said


class WaitingRow(Model):
    about: About
    worker: str | None  # None: the pool
    place: int
    since: datetime
    reason: str


class HeldRow(Model):
    about: About
    worker: str | None
    since: datetime | None
    until: datetime | None
    reason: str
    next: str


class StuckRow(Model):
    about: About
    worker: str | None
    state: str  # stopped, crashed
    since: datetime | None
    reason: str
    next: str


class RepositoryRow(Model):
    """A repository of which nothing is started until somebody acts."""

    repository: str
    worker: str | None  # on which; null: on all
    cause: str  # the reason for which its tasks failed
    since: datetime
    reason: str
    next: str


NOTICE = "notice"  # the kind of a row that is no GitHub write


class UndeliveredRow(Model):
    """A label, comment or draft that GitHub does not take, or a notice that nobody took, and what
    to type.
    """

    id: str
    host: str  # in whose outbox it was
    kind: str  # label, unlabel, comment, draft, notice
    repo: str
    issue: int | None  # or pull request
    text: str  # of a label its name, of a comment its first line, of a notice who was to get it
    reason: str
    tries: int
    at: datetime
    next: str


class UnseenRow(Model):
    """A task that failed or asked, and what to type."""

    about: About
    worker: str | None
    state: str  # failed, question
    at: datetime
    reason: str
    next: str


class Today(Model):
    """What ended since midnight, local time. Not `whole`: there was more than is looked at."""

    done: int
    failed: int
    cost_usd: float
    cost_estimated: bool  # a part of it
    whole: bool


class Overview(Model):
    at: datetime
    workers: list[WorkerRow]
    waiting: list[WaitingRow]
    held: list[HeldRow]
    stuck: list[StuckRow]
    undelivered: list[UndeliveredRow]
    hosts: list[HostRow]
    accounts: tuple[AccountRow, ...] = ()
    repositories: tuple[RepositoryRow, ...] = ()
    warnings: list[str]
    unreadable: list[Unreadable]  # records that are passed over
    unseen: tuple[UnseenRow, ...] = ()  # where somebody asked for them, as `today`
    today: Today | None = None
    pulls: dict[str, int] = Field(default_factory=dict)  # open pull requests of tasks by state
