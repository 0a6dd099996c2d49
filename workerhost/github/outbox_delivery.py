"""Carrying out the outbox: in order for each issue, and none of them holds up another's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cw.errors import (
    BadInputError,
    BadTokenError,
    CwError,
    GitHubLimitError,
    GitHubRefusedError,
    GitHubUnavailableError,
)
from cw.names import repo_key
from cw.store.outbox import Effect, OutboxStore
from cw.store.signed_outbox import Entry
from workerhost.github.backoff import Backoff
from workerhost.github.delivered_writes import Delivered
from workerhost.github.writes import perform
from workerhost.unexpected_errors import Troubles

if TYPE_CHECKING:
    from cw.forges.client import Writes

log = logging.getLogger("workerhost.deliver")

_OUTAGE_SECONDS = 60.0  # between two looks whether GitHub, or the token, is there again


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Of one host. `no_drafts`: called with a repository's id when GitHub says so of its plan.
    `outdated`: whether a write would say what is not so any more.
    """

    outbox: OutboxStore
    host: str
    delivered: Delivered
    github_for: Callable[[str], Writes | None]
    troubles: Troubles = field(default_factory=Troubles)
    backoff: Backoff = field(default_factory=Backoff)
    no_drafts: Callable[[int], None] = lambda _: None
    outdated: Callable[[Effect], bool] = lambda _: False

    def deliver(self) -> int:
        """One pass; returns how many left the outbox, carried out or set aside. Repeating one that
        was carried out and not yet remembered changes nothing. Raises BrokerUnavailableError.
        """
        left, stuck = 0, set[Hashable]()
        for entry in self.outbox.pending(self.host):
            issue = _issue(entry.effect)
            if issue in stuck or self.backoff.waits(issue):
                stuck.add(issue)  # what comes after it waits as well
            elif self._leaves(entry, issue):
                left += 1
            else:
                stuck.add(issue)
        return left

    def late(self) -> str:
        """What people are told of writes that wait; empty when none does."""
        waiting = self.outbox.length(self.host)
        reason = self.backoff.reason()
        return f"{waiting} GitHub writes wait: {reason}" if waiting and reason else ""

    def _leaves(self, entry: Entry[Effect], issue: Hashable) -> bool:
        """Whether this entry is dealt with."""
        if self.delivered.knows(entry.id):
            log.warning("effect dropped: it was carried out before host=%s", self.host)
            self._done(entry, issue)
            return True
        if self.outdated(entry.effect):
            log.info("effect dropped: outdated %s %s", entry.effect.kind, _label(entry.effect))
            self._done(entry, issue)
            return True
        github = self.github_for(entry.effect.worker)
        if github is None:
            self._set_aside(entry, issue, "there is no GitHub token to do it with")
            return True
        token: Hashable = ("token", github.token_mark)
        if self.backoff.waits(token):
            return False
        try:
            perform(entry.effect, github, self.outbox.marks(entry.effect), self.no_drafts)
        except CwError as error:
            return self._failed(entry, issue, token, github, error)
        except Exception as error:  # noqa: BLE001  what is odd about one must not stop the others
            trouble = self.troubles.count("outbox", error, _label(entry.effect))
            self.backoff.failed(issue, trouble.words())
            return self._given_up(entry, issue, f"{trouble.error} at {trouble.place}", odd=True)
        self.backoff.well(token)
        self._done(entry, issue)
        return True

    def _failed(
        self, entry: Entry[Effect], issue: Hashable, token: Hashable, github: Writes, error: CwError
    ) -> bool:
        what = f"{entry.effect.kind} on {_label(entry.effect)}: {error.message}"
        refused = isinstance(error, GitHubRefusedError) and not isinstance(error, BadTokenError)
        if refused:
            self._set_aside(entry, issue, error.line())
            return True
        log.warning("effect waits %s", what)
        away = isinstance(error, (GitHubLimitError, BadInputError)) or not github.well()
        if away or not isinstance(error, GitHubUnavailableError):
            self.backoff.failed(token, what, _OUTAGE_SECONDS)  # all with this token wait
            return False
        self.backoff.failed(issue, what)
        return self._given_up(entry, issue, error.line(), odd=False)

    def _given_up(self, entry: Entry[Effect], issue: Hashable, reason: str, *, odd: bool) -> bool:
        if not self.backoff.spent(issue, odd=odd):
            return False
        self._set_aside(entry, issue, reason)
        return True

    def _set_aside(self, entry: Entry[Effect], issue: Hashable, reason: str) -> None:
        tries = max(1, self.backoff.tries(issue))
        log.warning("effect set aside %s %s: %s", entry.effect.kind, _label(entry.effect), reason)
        self.outbox.set_aside(self.host, entry, reason, tries)
        self.backoff.well(issue)

    def _done(self, entry: Entry[Effect], issue: Hashable) -> None:
        self.delivered.add(entry.id, entry.until)
        self.outbox.done(self.host, entry)
        self.backoff.well(issue)


def _issue(effect: Effect) -> Hashable:
    return repo_key(effect.repo, effect.repo_id), effect.issue


def _label(effect: Effect) -> str:
    return f"{effect.repo}#{effect.issue}"
