"""Notices still to be told, and how they are put there with the end of their task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from cw.models import Model
from cw.notices.notice import Notice
from cw.store import keys
from cw.store.clock import ms
from cw.store.connection import Connection
from cw.store.outbox import WRITES, Effect
from cw.store.signed_outbox import Clock, Entry, Kind, SignedOutbox, sealed


class Post(Model):
    """A notice on its way. `to`: the name of the address that gets it; empty: each that its host
    has by then.
    """

    notice: Notice
    to: str = ""


POSTS = Kind(
    name="notice",
    model=Post,
    waits=keys.notices,
    aside=keys.unheard,
    words="notices",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What follows from the end of a task: GitHub writes, into the outbox of the host that has its
    login; a notice, into that of a host which is there to tell it.
    """

    effects: Sequence[Effect] = ()
    host: str = ""
    notice: Notice | None = None
    teller: str = ""  # empty: the same host


NOTHING = Told()


class NoticeStore(SignedOutbox[Post]):
    def __init__(self, connection: Connection, clock: Clock = time.time) -> None:
        super().__init__(connection, POSTS, clock)

    def part(self, host: str, entry: Entry[Post], names: Sequence[str]) -> None:
        """In its place one for each address, at once: each waits for its own receiver."""
        posts = [entry.effect.model_copy(update={"to": name}) for name in names]
        rows = sealed(self._db, POSTS, host, posts, self._clock)
        left = ms(max(1.0, entry.until - self._clock()))
        names_of = [keys.notices(host), keys.nonce(entry.id)]
        self._db.run("delivered", names_of, [entry.row, left, *rows])


def following(db: Connection, told: Told) -> tuple[list[str], list[object]]:
    """The last keys and arguments of each script that ends a task: both outboxes; how many GitHub
    writes there are, then they, then the notice.
    """
    teller = told.teller or told.host
    posts = posted(db, teller, told.notice) if told.notice and teller else []
    writes = sealed(db, WRITES, told.host, told.effects)
    names = [keys.outbox(told.host or "-"), keys.notices(teller or "-")]
    return names, [len(writes), *writes, *posts]


def posted(db: Connection, host: str, notice: Notice) -> list[str]:
    """A notice as it is put into the outbox of its host: one entry."""
    return sealed(db, POSTS, host, [Post(notice=notice)])
