"""Hosts' answers to questions, each read once by whoever asked."""

from __future__ import annotations

import json
from typing import Any

from cw.errors import CwError
from cw.store import keys
from cw.store.connection import Connection

_TTL_SECONDS = 60


class ReplyStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def put(self, request_id: str, answer: dict[str, Any]) -> None:
        with self._db.errors() as client:
            pipe = client.pipeline()
            pipe.rpush(keys.reply(request_id), json.dumps(answer))
            pipe.expire(keys.reply(request_id), _TTL_SECONDS)
            pipe.execute()

    def wait(self, request_id: str, seconds: float) -> dict[str, Any] | None:
        """None: nobody answered in time. Below the connection's own limit of 10 s."""
        with self._db.errors() as client:
            found = client.blpop([keys.reply(request_id)], timeout=seconds)
        if found is None:
            return None
        try:
            answer = json.loads(found[1])
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise CwError("the host's answer cannot be read", hint="Ask again")
        return answer
