"""GitHub writes still to do, one list a host, in order. An entry leaves when it was done.

What was put there is good once, for its own host, for a week: whoever can read an entry and push it
again is not obeyed.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from cw.models import Model
from cw.names import TASK_PATTERN, new_task_id
from cw.store import keys
from cw.store.clock import ms
from cw.store.connection import Connection

# Outages of GitHub and hosts that are away are waited for so long, and what was done is remembered
# for as long.
LIFE_SECONDS = 7 * 24 * 3600.0
_KIND = "effect"

log = logging.getLogger("cw.store.outbox")

Clock = Callable[[], float]  # epoch seconds


class Effect(Model):
    """One write to GitHub. `mark` makes a comment findable, so that it is posted once."""

    kind: Literal["label", "unlabel", "comment", "draft"]
    repo: str
    issue: int  # or pull request
    worker: str  # whose token is used when the host has none
    text: str
    mark: str = ""


class _Sealed(Model):
    """What is signed."""

    host: str  # for no other one
    id: Annotated[str, Field(pattern=TASK_PATTERN)]  # a ULID
    at: int  # epoch seconds by the clock of whoever put it there
    effect: Effect


@dataclass(frozen=True, slots=True)
class Entry:
    """`until`: epoch seconds after which it is refused for its age; `row`: as it lies there."""

    id: str
    until: float
    effect: Effect
    row: str


def sealed(db: Connection, host: str, effects: list[Effect], clock: Clock = time.time) -> list[str]:
    """As they lie in the outbox of this host: what GitHub is told in our name was said by us."""
    now = clock()
    entries = [
        _Sealed(
            host=host, id=new_task_id(int(now * 1000), secrets.randbits), at=int(now), effect=one
        )
        for one in effects
    ]
    return [db.keyring.seal(_KIND, one.model_dump(mode="json")) for one in entries]


def _first_row(key: str) -> Callable[[Any], str | None]:
    def first(client: Any) -> str | None:
        row: str | None = client.lindex(key, 0)
        return row

    return first


class OutboxStore:
    def __init__(self, connection: Connection, clock: Clock = time.time) -> None:
        self._db = connection
        self._clock = clock

    def add(self, host: str, effects: list[Effect]) -> None:
        if effects:
            with self._db.errors() as client:
                client.rpush(keys.outbox(host), *sealed(self._db, host, effects, self._clock))

    def first(self, host: str) -> Entry | None:
        """An entry that is not for this host now would hold up all others: dropped."""
        key = keys.outbox(host)
        while True:
            row = self._db.ask(key, f"the outbox of host {host}", _first_row(key), None)
            if row is None:
                if self._db.unreadable.why(key):  # it is this host's own
                    self._db.set_aside(key)
                return None
            found = self._read(host, row)
            if isinstance(found, Entry):
                return found
            log.warning("effect dropped: %s host=%s", found, host)
            with self._db.errors() as client:
                client.ltrim(key, 1, -1)

    def done(self, host: str, entry: Entry) -> None:
        """It was carried out, or never will be: it leaves and is not taken again, at once."""
        left = ms(max(1.0, entry.until - self._clock()))
        self._db.run("delivered", [keys.outbox(host), keys.nonce(entry.id)], [entry.row, left])

    def length(self, host: str) -> int:
        key = keys.outbox(host)
        what = f"the outbox of host {host}"
        return int(self._db.ask(key, what, lambda client: client.llen(key), 0))

    def _read(self, host: str, row: str) -> Entry | str:
        """Or why it is refused."""
        try:
            found = _Sealed.model_validate(self._db.keyring.unseal(_KIND, row))
        except ValidationError:
            return "it is not signed, or cannot be read"
        if found.host != host:
            return f"it is for {found.host}"
        until = found.at + LIFE_SECONDS
        if until < self._clock():
            return "it is too old"
        with self._db.errors() as client:
            if client.exists(keys.nonce(found.id)):
                return "it was carried out before"
        return Entry(found.id, until, found.effect, row)
