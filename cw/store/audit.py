"""The last line of each machine's audit file, signed, so that lines cut off its end are missed."""

from __future__ import annotations

from cw.audit import Head
from cw.store import keys
from cw.store.connection import Connection

_KIND = "audit"
_WHAT = "what is known of the audit files' last lines"


class AuditStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def keep(self, host: str, head: Head) -> None:
        """In the place of what the host told before."""
        row = self._db.keyring.seal(_KIND, [host, head.n, head.hash])
        with self._db.errors() as client:
            client.hset(keys.AUDIT, host, row)

    def head(self, host: str) -> Head | None:
        """None: nothing is known, or what is there is not ours."""
        row: str | None = self._db.ask(
            keys.AUDIT, _WHAT, lambda client: client.hget(keys.AUDIT, host), None
        )
        found = self._db.keyring.unseal(_KIND, row) if row else None
        return Head(found[1], found[2]) if found and found[0] == host else None

    def ours(self) -> dict[str, bool]:
        """By host, whether what it told last was signed with a key of ours."""
        rows: dict[str, str] = self._db.ask(
            keys.AUDIT, _WHAT, lambda client: client.hgetall(keys.AUDIT), {}
        )
        return {host: self._db.keyring.unseal(_KIND, row) is not None for host, row in rows.items()}
