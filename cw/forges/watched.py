"""What a forge tells of open pull requests that are watched: cheaply of many, wholly of few."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class CheckState(StrEnum):
    GREEN = "green"
    RED = "red"  # it failed, or ran out of time
    PENDING = "pending"
    NEUTRAL = "neutral"  # cancelled, skipped, outdated: says nothing
    ASKS = "asks"  # a person has to let it run


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check or status of one commit."""

    name: str
    state: CheckState
    required: bool = False  # for a merge into the base
    since: datetime | None = None  # it runs; None: nobody says


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """Checks that the token may not read. `state`: what those come to together; None: nobody knows.
    `lacks`: rights that would tell more of them, for people.
    """

    state: CheckState | None = None
    lacks: tuple[str, ...] = ()


class Mergeable(StrEnum):
    YES = "yes"
    NO = "no"  # it conflicts with its base
    UNKNOWN = "unknown"  # not worked out yet; asking makes the forge do it


@dataclass(frozen=True, slots=True)
class PullName:
    """`repo`: its name of now."""

    repo: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """What tells that something moved. `mark`: another one whenever anything of it did. Its base
    moved when it is mergeable no more.
    """

    repo: str  # as it is called now
    repo_id: int
    open: bool
    merged: bool
    head: str  # sha
    mergeable: Mergeable
    mark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A comment, or a review. Logins end in `[bot]` for bots; empty: of a gone one."""

    id: str
    author: str
    association: str
    body: str
    editor: str = ""  # who changed it last; empty: nobody did
    minimized: bool = False
    at: datetime | None = None  # when it was written; None: nobody says
    ours: bool = False  # by the account that asks: whose mark in it is no forgery


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenThread:
    """Of a review, neither resolved nor outdated. Where nothing of it can be read there is none."""

    id: str
    comments: tuple[Said, ...]  # oldest first, at least one
    unread: int = 0  # how many there are besides

    @property
    def first(self) -> Said:
        """What began it."""
        return self.comments[0]

    @property
    def last(self) -> Said:
        """The last word; what began it where nobody answered."""
        return self.comments[-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """All of one at one moment."""

    glance: Glance
    title: str
    author: str
    base: str  # name of the branch that it goes into
    branch: str
    draft: bool
    added: int = 0
    removed: int = 0
    files: int = 0
    paths: tuple[str, ...] = ()  # of the first hundred of them
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()  # of the head, as far as they may be read
    unread: Unread | None = None  # what is known of the others; None: there are none
    red_on_base: frozenset[str] = frozenset()  # names of checks that are red on the base's head
    wants_review: bool = False  # the repository does, and has none yet
    approved: bool = False
    # Who of those that may write asks for changes, each with the id of that review.
    changes: Mapping[str, str] = field(default_factory=dict)
    threads: tuple[OpenThread, ...] = ()
    comments: tuple[Said, ...] = ()  # the newest, oldest first
    comment_count: int = 0  # with those that are older


class Watch(Protocol):
    """One pass' questions. What is not known there, or may not be seen, is not in the answers.
    Errors: as `cw.forges.client` says.
    """

    @property
    def asked(self) -> int:
        """Requests so far."""

    @property
    def odd(self) -> Mapping[PullName, str]:
        """What was answered and could not be read, in words."""

    def glances(self, wanted: Collection[PullName]) -> Mapping[PullName, Glance]: ...

    def looks(self, wanted: Collection[PullName]) -> Mapping[PullName, Look]: ...
