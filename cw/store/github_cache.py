"""What GitHub said before, for every process of the fleet: lists with their ETag, and facts."""

from __future__ import annotations

from datetime import timedelta

from cw.store import keys
from cw.store.connection import Connection

_UNUSED = timedelta(days=7)


class GitHubCache:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def page(self, key: str) -> tuple[str, str] | None:
        """ETag and body, as they were kept."""
        with self._db.errors() as client:
            etag, body = client.hmget(keys.github_page(key), "etag", "body")
            if etag is None or body is None:
                return None
            client.expire(keys.github_page(key), _UNUSED)
        return etag, body

    def keep_page(self, key: str, etag: str, body: str) -> None:
        name = keys.github_page(key)
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=True)
            pipe.hset(name, mapping={"etag": etag, "body": body})
            pipe.expire(name, _UNUSED)
            pipe.execute()

    def fact(self, name: str) -> str | None:
        with self._db.errors() as client:
            found: str | None = client.get(keys.github_fact(name))
            return found

    def keep_fact(self, name: str, value: str, life: timedelta) -> None:
        with self._db.errors() as client:
            client.set(keys.github_fact(name), value, ex=life)
