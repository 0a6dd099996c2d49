"""GitHub writes still to do, one list a host, in order. An entry leaves when it was done."""

from __future__ import annotations

import logging
from typing import Literal

from pydantic import ValidationError

from cw.models import Model
from cw.store import keys
from cw.store.connection import Connection

_KIND = "effect"

log = logging.getLogger("cw.store.outbox")


class Effect(Model):
    """One write to GitHub. `mark` makes a comment findable, so that it is posted once."""

    kind: Literal["label", "unlabel", "comment", "draft"]
    repo: str
    issue: int  # or pull request
    worker: str  # whose token is used when the host has none
    text: str
    mark: str = ""


def sealed(db: Connection, effects: list[Effect]) -> list[str]:
    """As they lie in an outbox: what GitHub is told in our name was said by us."""
    return [db.keyring.seal(_KIND, one.model_dump(mode="json")) for one in effects]


class OutboxStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, host: str, effects: list[Effect]) -> None:
        if effects:
            with self._db.errors() as client:
                client.rpush(keys.outbox(host), *sealed(self._db, effects))

    def first(self, host: str) -> Effect | None:
        """An entry that is not ours or cannot be read would hold up all others: dropped."""
        while True:
            with self._db.errors() as client:
                row = client.lindex(keys.outbox(host), 0)
            if not row:
                return None
            try:
                return Effect.model_validate(self._db.keyring.unseal(_KIND, row))
            except ValidationError:
                log.warning("effect dropped: it is not signed, or cannot be read host=%s", host)
                self.done(host)

    def done(self, host: str) -> None:
        """The first entry was carried out."""
        with self._db.errors() as client:
            client.lpop(keys.outbox(host))

    def length(self, host: str) -> int:
        with self._db.errors() as client:
            return int(client.llen(keys.outbox(host)))
