"""What GitHub said before, for every process of the fleet: lists with their ETag, and facts."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from redis.exceptions import ResponseError

from cw.store import keys
from cw.store.connection import Connection, is_wrong_type
from cw.store.unreadable import fault, need_text

_PAGE = "github page"  # signed: they decide whose words reach an agent
_FACT = "github fact"
_UNUSED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Budget:
    """What GitHub said of one token's hourly requests. `resets_at`: epoch seconds."""

    left: int
    limit: int
    resets_at: int

    def left_at(self, now: datetime) -> int:
        """All of them again once they were renewed."""
        return self.left if now.timestamp() < self.resets_at else self.limit


_BUDGET = TypeAdapter(Budget)


class GitHubCache:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def page(self, key: str) -> tuple[str, str] | None:
        """ETag and body, as they were kept. None: never, not for a week, or by somebody without the
        key.
        """
        name = keys.github_page(key)
        with self._db.errors() as client:
            try:
                etag, body, mac = client.hmget(name, "etag", "body", "mac")
            except ResponseError as error:
                if not is_wrong_type(error):
                    raise
                client.delete(name)  # GitHub is asked again
                return None
            if etag is None or body is None:
                return None
            client.expire(name, _UNUSED)
        return (etag, body) if self._db.keyring.signed(_PAGE, [key, etag, body], mac) else None

    def keep_page(self, key: str, etag: str, body: str) -> None:
        name = keys.github_page(key)
        mac = self._db.keyring.sign(_PAGE, [key, etag, body])
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=True)
            pipe.hset(name, mapping={"etag": etag, "body": body, "mac": mac})
            pipe.expire(name, _UNUSED)
            pipe.execute()

    def fact(self, name: str) -> str | None:
        """None: not kept, too old, or by somebody without the key."""
        key = keys.github_fact(name)
        row: str | None = self._db.ask(
            key, f"what GitHub said of {name}", lambda client: client.get(key), None
        )
        found = self._db.keyring.unseal(_FACT, row) if row else None
        if not isinstance(found, dict) or found["name"] != name or found["until"] < time.time():
            return None
        return str(found["value"])

    def keep_fact(self, name: str, value: str, life: timedelta) -> None:
        until = time.time() + life.total_seconds()
        row = self._db.keyring.seal(_FACT, {"name": name, "value": value, "until": until})
        with self._db.errors() as client:
            client.set(keys.github_fact(name), row, ex=life)

    def keep_budget(self, token: str, budget: Budget) -> None:
        """`token`: a mark made of it, never the token."""
        with self._db.errors() as client:
            client.hset(keys.GITHUB_BUDGET, token, json.dumps(asdict(budget)))

    def budgets(self) -> dict[str, Budget]:
        """By the token's mark."""
        what = "what GitHub said of a token's requests"
        rows: dict[str, str] = self._db.ask(
            keys.GITHUB_BUDGET, what, lambda client: client.hgetall(keys.GITHUB_BUDGET), {}
        )
        found = {}
        for token, text in rows.items():
            try:
                need_text({token: text})
                found[token] = _BUDGET.validate_json(text)
            except ValueError as error:  # GitHub's next answer replaces it
                self._db.unreadable.add(keys.GITHUB_BUDGET, what, fault(error))
        return found
