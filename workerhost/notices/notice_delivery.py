"""Telling what waits in a host's outbox of notices. What one receiver does not take holds up no
other, and nothing else of the host.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from cw.errors import BadInputError, CwError, RefusedNoticeError
from cw.notices.addresses import Address, open_notifier
from cw.notices.notice import Notifier
from cw.store.notices import NoticeStore, Post
from cw.store.signed_outbox import Entry
from workerhost.github.backoff import Backoff
from workerhost.github.delivered_writes import Delivered
from workerhost.notices.bounded_send import BoundedSend

log = logging.getLogger("workerhost.notices")

_LONGEST_SECONDS = 300.0  # between two tries: a receiver is given up after more than an hour


@dataclass(frozen=True, slots=True)
class Teller:
    """Of one host. `addresses`: by name. `secret`: of CW_NOTIFY_SECRET."""

    outbox: NoticeStore
    host: str
    delivered: Delivered
    addresses: Mapping[str, Address]
    secret: str = ""
    backoff: Backoff = field(default_factory=Backoff)
    send: BoundedSend = field(default_factory=BoundedSend)
    _opened: dict[str, Notifier] = field(default_factory=dict)

    def deliver(self) -> int:
        """One pass; returns how many left the outbox, told or set aside. A host that dies between
        a receiver's yes and its own note of it tells that again, with the same id. Raises
        BrokerUnavailableError.
        """
        for entry in self.outbox.pending(self.host):
            if not entry.effect.to:
                self.outbox.part(self.host, entry, list(self.addresses))
        return sum(
            self._leaves(entry) for entry in self.outbox.pending(self.host) if entry.effect.to
        )

    def late(self) -> str:
        """What people are told of notices that wait; empty when none does."""
        waiting = self.outbox.length(self.host)
        reason = self.backoff.reason()
        return f"{waiting} notices wait: {reason}" if waiting and reason else ""

    def _leaves(self, entry: Entry[Post]) -> bool:
        """Whether this entry is dealt with."""
        name = entry.effect.to
        if self.delivered.knows(_key(entry.effect)) or name not in self.addresses:
            self.outbox.done(self.host, entry)  # told before, or nobody's any more
            return True
        if self.backoff.waits(name):
            return False
        try:
            self.send(name, self._notifier(name), entry.effect.notice)
        except Exception as error:  # noqa: BLE001  a notifier may be anybody's code
            return self._failed(entry, error)
        self.delivered.add(_key(entry.effect), entry.until)
        self.outbox.done(self.host, entry)
        self.backoff.well(name)
        log.info("notice told task=%s to=%s", entry.effect.notice.task, name)
        return True

    def _notifier(self, name: str) -> Notifier:
        if name not in self._opened:
            self._opened[name] = open_notifier(self.addresses[name], self.secret)
        return self._opened[name]

    def _failed(self, entry: Entry[Post], error: Exception) -> bool:
        """Once it was given up, a receiver is tried once for each further notice."""
        name, why = entry.effect.to, _why(error)
        if isinstance(error, (BadInputError, RefusedNoticeError)):
            self._set_aside(entry, why, self.backoff.tries(name) + 1)
            return True
        tries = self.backoff.failed(name, f"{name}: {why}", _LONGEST_SECONDS)
        log.warning("notice waits task=%s to=%s: %s", entry.effect.notice.task, name, why)
        if not self.backoff.spent(name, odd=not isinstance(error, CwError)):
            return False
        self._set_aside(entry, why, tries)
        return True

    def _set_aside(self, entry: Entry[Post], why: str, tries: int) -> None:
        log.warning("notice set aside task=%s: %s", entry.effect.notice.task, why)
        self.outbox.set_aside(self.host, entry, why, tries)


def _key(post: Post) -> str:
    return f"{post.notice.id}:{post.to}"


def _why(error: Exception) -> str:
    """Of others' errors only the kind: their text may carry a password."""
    return error.line() if isinstance(error, CwError) else f"unforeseen {type(error).__name__}"
