"""Locks for passes that only one process of the fleet should do at a time.

They save work; what must not happen twice is kept apart by claims and fences, not by these.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cw.errors import CwError
from cw.store import keys
from cw.store.connection import Connection

_NO_END = -1  # as Redis says it
_TTL_MS = 120_000  # longer than any single step of a pass, GitHub's slowest answer included


class LockLostError(CwError):
    """Somebody else does this pass now."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Held by this process until it is released or not renewed for two minutes."""

    _db: Connection
    key: str
    holder: str

    def renew(self) -> None:
        """To be called between steps. Raises LockLostError."""
        if not self._db.run("relock", [self.key], [self.holder, _TTL_MS]):
            raise LockLostError("another pass took over")

    def release(self) -> None:
        self._db.run("unlock", [self.key], [self.holder])


class LockStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def beat_ticks(self) -> bool:
        """Whether a beat of the fleet sends: it renews its lock of a few seconds at each tick."""
        with self._db.errors() as client:
            return bool(client.exists(keys.BEAT_LOCK))

    def burn(self, nonce: str, seconds: float) -> bool:
        """Whether this is the first time, at any host, in so many seconds."""
        with self._db.errors() as client:
            return bool(client.set(keys.nonce(nonce), "", nx=True, px=max(1, int(seconds * 1000))))

    @contextmanager
    def held(self, name: str) -> Iterator[Lock | None]:
        """None: somebody else holds it. The body has to call `renew` at least every two minutes."""
        lock = Lock(self._db, keys.lock(name), secrets.token_hex(8))
        with self._db.errors() as client:
            taken = client.set(lock.key, lock.holder, nx=True, px=_TTL_MS)
            if not taken and client.pttl(lock.key) == _NO_END:
                # Ours all have an end: this is nobody's, and would keep everybody out for good.
                self._db.unreadable.add(lock.key, f"the lock {name}", "it has no end")
                self._db.set_aside(lock.key)
                taken = client.set(lock.key, lock.holder, nx=True, px=_TTL_MS)
        try:
            yield lock if taken else None
        finally:
            if taken:
                lock.release()
