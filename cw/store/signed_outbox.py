"""What follows from records and is still to be done, one list a host, in order. An entry leaves
when it was done, or when it cannot be: then it is set aside, with the reason, until a person says
what becomes of it.

What was put there is good once, for its own host, for a week: whoever can read an entry and push it
again is not obeyed.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field, ValidationError

from cw.models import Model
from cw.names import TASK_PATTERN, new_task_id
from cw.store import keys
from cw.store.clock import ms
from cw.store.connection import Connection

# Outages of receivers and hosts that are away are waited for so long, and what was done is
# remembered for as long.
LIFE_SECONDS = 7 * 24 * 3600.0
_KEPT_SECONDS = 30 * 24 * 3600.0  # that one is kept aside
_MOST_ASIDE = 1000
_REASON_CAP = 500
_AT_ONCE = 500  # entries read in one pass
_DROPPED = "dropped"  # no entry of anybody's

log = logging.getLogger("cw.store.outbox")

Clock = Callable[[], float]  # epoch seconds
T = TypeVar("T", bound=Model)


class _Sealed(Model):
    """What is signed."""

    host: str  # for no other one
    id: Annotated[str, Field(pattern=TASK_PATTERN)]  # a ULID
    at: int  # epoch seconds by the clock of whoever put it there
    effect: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """`until`: epoch seconds after which it is refused for its age; `row`: as it lies there."""

    id: str
    until: float
    effect: T
    row: str


@dataclass(frozen=True, slots=True)
class Aside(Generic[T]):
    """One that could not be carried out. `at`: epoch seconds."""

    id: str
    host: str
    effect: T
    reason: str
    tries: int
    at: float


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What one kind of outbox holds. `name`: keeps its signatures apart from other kinds'. `waits`,
    `aside`: its keys, by host. `words`: for people.
    """

    name: str
    model: type[T]
    waits: Callable[[str], str]
    aside: Callable[[str], str]
    words: str


def _plain(effect: Model) -> dict[str, Any]:
    """Without what has its default: hosts of before do not know every field."""
    return effect.model_dump(mode="json", exclude_defaults=True)


def sealed(
    db: Connection, kind: Kind[T], host: str, effects: Sequence[T], clock: Clock = time.time
) -> list[str]:
    """As they lie in the outbox of this host: what others are told in our name was said by us."""
    now = clock()
    # Sorted, so that what is tried again later is tried in the order in which it was meant.
    ids = sorted(new_task_id(int(now * 1000), secrets.randbits) for _ in effects)
    entries = [
        _Sealed(host=host, id=an_id, at=int(now), effect=_plain(effect))
        for an_id, effect in zip(ids, effects, strict=True)
    ]
    return [db.keyring.seal(kind.name, entry.model_dump(mode="json")) for entry in entries]


class SignedOutbox(Generic[T]):
    def __init__(self, connection: Connection, kind: Kind[T], clock: Clock = time.time) -> None:
        self._db = connection
        self._kind = kind
        self._clock = clock

    def add(self, host: str, effects: Sequence[T]) -> None:
        """After what is there, all of them at once."""
        rows = sealed(self._db, self._kind, host, effects, self._clock)
        if rows:
            with self._db.errors() as client:
                client.rpush(self._kind.waits(host), *rows)

    def pending(self, host: str) -> list[Entry[T]]:
        """In order, at most 500. What is not for this host now is dropped."""
        key, found, dropped = self._kind.waits(host), [], False
        for at, row in enumerate(self._rows(host)):
            entry = self._read(host, row)
            if isinstance(entry, Entry):
                found.append(entry)
            else:
                log.warning("%s dropped: %s host=%s", self._kind.name, entry, host)
                dropped = True
                with self._db.errors() as client:
                    client.lset(key, at, _DROPPED)
        if dropped:
            with self._db.errors() as client:
                client.lrem(key, 0, _DROPPED)
        return found

    def set_aside(self, host: str, entry: Entry[T], reason: str, tries: int) -> None:
        """It waits for a person, for a month, and holds up nothing."""
        now = int(self._clock())
        said = {"row": entry.row, "reason": reason[:_REASON_CAP], "tries": tries, "at": ms(now)}
        args = [entry.row, entry.id, json.dumps(said), ms(now - _KEPT_SECONDS), _MOST_ASIDE]
        self._db.run("undeliverable", [self._kind.waits(host), self._kind.aside(host)], args)

    def aside(self, host: str) -> list[Aside[T]]:
        """The oldest first. What a stranger has put there is left out."""
        key = self._kind.aside(host)
        what = f"the {self._kind.words} of host {host} that were set aside"
        rows: dict[str, str] = self._db.ask(key, what, lambda client: client.hgetall(key), {})
        found = [self._aside(host, entry_id, text) for entry_id, text in sorted(rows.items())]
        return [entry for entry in found if entry]

    def retry(self, host: str, entry_id: str) -> bool:
        """False: it is not there any more. What is too old by then is dropped as it always is."""
        return bool(
            self._db.run("again", [self._kind.aside(host), self._kind.waits(host)], [entry_id])
        )

    def drop(self, host: str, entry_id: str) -> bool:
        """One that was set aside. False: it is not there any more."""
        with self._db.errors() as client:
            return bool(client.hdel(self._kind.aside(host), entry_id))

    def done(self, host: str, entry: Entry[T]) -> None:
        """It was carried out, or never will be: it leaves and is not taken again, at once."""
        left = ms(max(1.0, entry.until - self._clock()))
        self._db.run("delivered", [self._kind.waits(host), keys.nonce(entry.id)], [entry.row, left])

    def length(self, host: str) -> int:
        """How many wait, without those that were set aside."""
        key = self._kind.waits(host)
        what = self._what(host)
        return int(self._db.ask(key, what, lambda client: client.llen(key), 0))

    def _rows(self, host: str) -> list[str]:
        key, what = self._kind.waits(host), self._what(host)
        rows: list[str] = self._db.ask(
            key, what, lambda client: list(client.lrange(key, 0, _AT_ONCE - 1)), []
        )
        if self._db.unreadable.why(key):  # it is this host's own
            self._db.set_aside(key)
        return rows

    def _what(self, host: str) -> str:
        return f"the {self._kind.words} of host {host}"

    def _read(self, host: str, row: str) -> Entry[T] | str:
        """Or why it is refused."""
        opened = self._opened(row)
        if opened is None:
            return "it is not signed, or cannot be read"
        found, effect = opened
        if found.host != host:
            return f"it is for {found.host}"
        until = found.at + LIFE_SECONDS
        if until < self._clock():
            return "it is too old"
        with self._db.errors() as client:
            if client.exists(keys.nonce(found.id)):
                return "it was carried out before"
        return Entry(found.id, until, effect, row)

    def _opened(self, row: str) -> tuple[_Sealed, T] | None:
        try:
            found = _Sealed.model_validate(self._db.keyring.unseal(self._kind.name, row))
            return found, self._kind.model.model_validate(found.effect)
        except ValidationError:
            return None

    def _aside(self, host: str, entry_id: str, text: str) -> Aside[T] | None:
        try:
            said = json.loads(text)
            opened = self._opened(str(said["row"]))
            if opened is None or (opened[0].id, opened[0].host) != (entry_id, host):
                return None
            reason, tries, at = str(said["reason"]), int(said["tries"]), said["at"] / 1000
            return Aside(entry_id, host, opened[1], reason, tries, at)
        except (ValueError, TypeError, KeyError):
            return None
