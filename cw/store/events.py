"""The stream of what an agent says and does, capped, readable from any machine."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from cw.models import Event
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.connection import Connection

_KEPT = 2000  # events a task; older ones are in worker.log
_PAGE = 500
_TTL_MS = 14 * 24 * 3600 * 1000


class EventStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def append(self, task_id: str, events: list[Event]) -> None:
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for event in events:
                row = {
                    "at": epoch_ms(event.at),
                    "kind": event.kind,
                    "text": event.text,
                    "offset": event.offset,
                    "data": json.dumps(event.data),
                }
                pipe.xadd(keys.events(task_id), row, maxlen=_KEPT, approximate=True)
            pipe.pexpire(keys.events(task_id), _TTL_MS)
            pipe.execute()

    def last(self, task_id: str) -> Event | None:
        with self._db.errors() as client:
            rows = client.xrevrange(keys.events(task_id), count=1)
        return _event(rows[0][1]) if rows else None

    def lasts(self, task_ids: Collection[str]) -> dict[str, Event]:
        """The newest event of each task that has one, in one round trip."""
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for one in task_ids:
                pipe.xrevrange(keys.events(one), count=1)
            found = pipe.execute()
        return {one: _event(rows[0][1]) for one, rows in zip(task_ids, found, strict=True) if rows}

    def tail(self, task_id: str, count: int) -> tuple[list[Event], str]:
        """The newest `count` events, oldest first, and the position after them for `read`."""
        with self._db.errors() as client:
            rows = client.xrevrange(keys.events(task_id), count=count)
        return [_event(row) for _, row in reversed(rows)], rows[0][0] if rows else "0"

    def every(self, task_id: str, kinds: Collection[str] = ()) -> Iterator[Event]:
        """All that is kept of a task, or of these kinds only, oldest first."""
        after = "0"
        while True:
            with self._db.errors() as client:
                rows: list[Any] = client.xrange(keys.events(task_id), f"({after}", count=_PAGE)
            yield from (_event(row) for _, row in rows if not kinds or row.get("kind") in kinds)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def read(self, task_id: str, after: str = "0", wait_ms: int = 0) -> tuple[list[Event], str]:
        """Events after a stream position, and the next position. Waits up to `wait_ms` for one."""
        block = {"block": wait_ms} if wait_ms else {}
        with self._db.errors() as client:
            answer = client.xread({keys.events(task_id): after}, count=_PAGE, **block)
        if not answer:
            return [], after
        rows = next(iter(answer.values()))[0] if isinstance(answer, dict) else answer[0][1]
        return [_event(row) for _, row in rows], rows[-1][0]


def _event(row: dict[str, str]) -> Event:
    return Event.model_validate({**row, "data": json.loads(row.get("data") or "{}")})
