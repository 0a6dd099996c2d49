"""GitHub writes still to do, one list a host, in order. An entry leaves when it was done, or when
it cannot be: then it is set aside, with the reason, until a person says what becomes of it.

What was put there is good once, for its own host, for a week: whoever can read an entry and push it
again is not obeyed.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from cw.models import Model
from cw.names import TASK_PATTERN, new_task_id
from cw.store import keys
from cw.store.clock import ms
from cw.store.connection import Connection

# Outages of GitHub and hosts that are away are waited for so long, and what was done is remembered
# for as long.
LIFE_SECONDS = 7 * 24 * 3600.0
_KEPT_SECONDS = 30 * 24 * 3600.0  # that one is kept aside
_MOST_ASIDE = 1000
_REASON_CAP = 500
_AT_ONCE = 500  # entries read in one pass
_DROPPED = "dropped"  # no entry of anybody's
_KIND = "effect"
_MARK = "mark"
_MARK_CHARS = 40  # 160 bits

log = logging.getLogger("cw.store.outbox")

Clock = Callable[[], float]  # epoch seconds


class Effect(Model):
    """One write to GitHub. `mark` makes a comment findable, so that it is posted once. `task`: of
    which it is; empty: of none, or said by a cw that did not say.
    """

    kind: Literal["label", "unlabel", "comment", "draft"]
    repo: str  # as it was called then
    repo_id: int = 0  # GitHub's; 0: said by a cw that did not know it
    issue: int  # or pull request
    worker: str  # whose token is used when the host has none
    text: str
    mark: str = ""
    task: str = ""


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


@dataclass(frozen=True, slots=True)
class Aside:
    """One that could not be carried out. `at`: epoch seconds."""

    id: str
    host: str
    effect: Effect
    reason: str
    tries: int
    at: float


def sealed(db: Connection, host: str, effects: list[Effect], clock: Clock = time.time) -> list[str]:
    """As they lie in the outbox of this host: what GitHub is told in our name was said by us."""
    now = clock()
    # Sorted, so that what is tried again later is tried in the order in which it was meant.
    ids = sorted(new_task_id(int(now * 1000), secrets.randbits) for _ in effects)
    entries = [
        _Sealed(host=host, id=an_id, at=int(now), effect=one)
        for an_id, one in zip(ids, effects, strict=True)
    ]
    return [db.keyring.seal(_KIND, one.model_dump(mode="json")) for one in entries]


class OutboxStore:
    def __init__(self, connection: Connection, clock: Clock = time.time) -> None:
        self._db = connection
        self._clock = clock

    def add(self, host: str, effects: list[Effect]) -> None:
        if effects:
            with self._db.errors() as client:
                client.rpush(keys.outbox(host), *sealed(self._db, host, effects, self._clock))

    def pending(self, host: str) -> list[Entry]:
        """In order. What is not for this host now is dropped."""
        key, found, dropped = keys.outbox(host), [], False
        for at, row in enumerate(self._rows(host)):
            entry = self._read(host, row)
            if isinstance(entry, Entry):
                found.append(entry)
            else:
                log.warning("effect dropped: %s host=%s", entry, host)
                dropped = True
                with self._db.errors() as client:
                    client.lset(key, at, _DROPPED)
        if dropped:
            with self._db.errors() as client:
                client.lrem(key, 0, _DROPPED)
        return found

    def set_aside(self, host: str, entry: Entry, reason: str, tries: int) -> None:
        """It waits for a person, and holds up nothing."""
        now = int(self._clock())
        said = {"row": entry.row, "reason": reason[:_REASON_CAP], "tries": tries, "at": ms(now)}
        args = [entry.row, entry.id, json.dumps(said), ms(now - _KEPT_SECONDS), _MOST_ASIDE]
        self._db.run("undeliverable", [keys.outbox(host), keys.undeliverable(host)], args)

    def aside(self, host: str) -> list[Aside]:
        """The oldest first. What a stranger has put there is left out."""
        key = keys.undeliverable(host)
        what = f"the GitHub writes of host {host} that were set aside"
        rows: dict[str, str] = self._db.ask(key, what, lambda client: client.hgetall(key), {})
        found = [_aside(self._db, host, one, text) for one, text in sorted(rows.items())]
        return [one for one in found if one]

    def retry(self, host: str, entry_id: str) -> bool:
        """False: it is not there any more. What is too old by then is dropped as it always is."""
        return bool(
            self._db.run("again", [keys.undeliverable(host), keys.outbox(host)], [entry_id])
        )

    def drop(self, host: str, entry_id: str) -> bool:
        with self._db.errors() as client:
            return bool(client.hdel(keys.undeliverable(host), entry_id))

    def done(self, host: str, entry: Entry) -> None:
        """It was carried out, or never will be: it leaves and is not taken again, at once."""
        left = ms(max(1.0, entry.until - self._clock()))
        self._db.run("delivered", [keys.outbox(host), keys.nonce(entry.id)], [entry.row, left])

    def marks(self, effect: Effect) -> tuple[str, ...]:
        """By which its comment is found again. Nobody without the key can make them, and they are
        good in one place only. The first is that of the key that signs.
        """
        what = [effect.repo.lower(), effect.issue, effect.mark, effect.text]
        made = self._db.keyring.signatures(_MARK, what)
        return tuple(f"cw:{one[:_MARK_CHARS]}" for one in made)

    def length(self, host: str) -> int:
        key = keys.outbox(host)
        what = f"the outbox of host {host}"
        return int(self._db.ask(key, what, lambda client: client.llen(key), 0))

    def _rows(self, host: str) -> list[str]:
        key, what = keys.outbox(host), f"the outbox of host {host}"
        rows: list[str] = self._db.ask(
            key, what, lambda client: list(client.lrange(key, 0, _AT_ONCE - 1)), []
        )
        if self._db.unreadable.why(key):  # it is this host's own
            self._db.set_aside(key)
        return rows

    def _read(self, host: str, row: str) -> Entry | str:
        """Or why it is refused."""
        found = _unsealed(self._db, row)
        if found is None:
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


def _unsealed(db: Connection, row: str) -> _Sealed | None:
    try:
        return _Sealed.model_validate(db.keyring.unseal(_KIND, row))
    except ValidationError:
        return None


def _aside(db: Connection, host: str, entry_id: str, text: str) -> Aside | None:
    try:
        said = json.loads(text)
        entry = _unsealed(db, str(said["row"]))
        if entry is None or (entry.id, entry.host) != (entry_id, host):
            return None
        reason, tries, at = str(said["reason"]), int(said["tries"]), said["at"] / 1000
        return Aside(entry_id, host, entry.effect, reason, tries, at)
    except (ValueError, TypeError, KeyError):
        return None
