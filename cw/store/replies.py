"""Hosts' answers to questions, each read once by whoever asked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from cw.errors import CwError
from cw.store import keys
from cw.store.connection import Connection

_TTL_SECONDS = 60
_PIECE_SECONDS = 1.0


def _nobody_told(_who: str, _seconds: float) -> None:
    """For programs."""


class ReplyStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self.slow: Callable[[str, float], None] = _nobody_told  # who is waited for, and how long

    def put(self, request_id: str, answer: dict[str, Any]) -> None:
        """As JSON, for a minute: who asked waits for it."""
        with self._db.errors() as client:
            pipe = client.pipeline()
            pipe.rpush(keys.reply(request_id), json.dumps(answer))
            pipe.expire(keys.reply(request_id), _TTL_SECONDS)
            pipe.execute()

    def wait(
        self, request_id: str, seconds: float, tell: Callable[[float], None] = lambda _: None
    ) -> dict[str, Any] | None:
        """None: nobody answered in time. `tell`: called about each second, with those so far.
        Raises CwError for what is no answer.
        """
        begin, found = time.monotonic(), None
        while found is None and (waited := time.monotonic() - begin) < seconds:
            if waited:
                tell(waited)
            # In pieces: one must be shorter than what the connection waits for any answer.
            piece = min(_PIECE_SECONDS, max(seconds - waited, 0.01))
            with self._db.errors() as client:
                found = client.blpop([keys.reply(request_id)], timeout=piece)
        if found is None:
            return None
        try:
            answer = json.loads(found[1])
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise CwError("the host's answer cannot be read", hint="Ask again")
        return answer
