"""What is read of a forge again and again, and kept. Errors: as `cw.forges.client` says."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

from cw.forges.issues import LabelEvent, Listed, Thread
from cw.forges.repositories import Place


class PageCache(Protocol):
    """Where answers are kept with their ETags, for all processes: the store, or a dict."""

    def page(self, key: str) -> tuple[str, str] | None:
        """ETag and body."""

    def keep_page(self, key: str, etag: str, body: str) -> None: ...


class Facts(Protocol):
    """Where single answers are kept for a while: the store, or a dict."""

    def fact(self, name: str) -> str | None: ...

    def keep_fact(self, name: str, value: str, life: timedelta) -> None: ...


class Kept(PageCache, Facts, Protocol):
    """Both."""


class Reader(Protocol):
    """Answers that may be kept: what did not change since anybody asked is free."""

    @property
    def asked(self) -> int:
        """Requests so far, free ones as well."""

    @property
    def unchanged(self) -> int:
        """Those of them that were free."""

    @property
    def paid(self) -> int:
        """The others."""

    @property
    def odd(self) -> list[str]:
        """What could not be read and was left out, for people."""

    def open_issues(self, repo: str, repo_id: int = 0) -> list[Listed]:
        """Issues and pull requests, oldest first."""

    def closed_lately(self, repo: str, repo_id: int = 0) -> list[Listed]:
        """At most the hundred closed ones that changed last."""

    def label_events(self, repo: str, number: int) -> list[LabelEvent]:
        """Who put which label on it or took it off, oldest first."""

    def thread(self, repo: str, number: int) -> Thread:
        """As `Issues.thread` has it: asked now."""

    def is_open(self, repo: str, number: int) -> bool:
        """Of an issue or a pull request."""

    def knows_issue(self, repo: str, number: int) -> bool:
        """Whether `is_open` is likely to be free."""

    def pull_state(self, repo: str, number: int) -> str:
        """open, merged or closed."""

    def may_write(self, repo: str, login: str) -> bool:
        """False for bots, and for those whom it does not know."""

    def knows_rights(self, repo: str, login: str) -> bool:
        """Whether `may_write` is likely to be free."""

    def own_login(self) -> str: ...

    def repos_of(self, owner: str) -> list[str]:
        """An account's repositories that have open issues and are not archived."""


class Places(Protocol):
    """Which repository a name means: names change and are given to others, ids do not."""

    def known(self, names: Collection[str]) -> dict[str, Place]:
        """By name as given; kept for a day. `place` says why one is not in it."""

    def place(self, repo: str, repo_id: int = 0) -> Place:
        """Asked now: by its id, else by any name that it has or had."""
