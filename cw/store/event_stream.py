"""The stream of what an agent says and does, capped, readable from any machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any

from cw.models import MALFORMED, Event
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.connection import Connection, is_error, is_wrong_type
from cw.store.unreadable import fault, need_text

_KEPT = 2000  # events a task; older ones are in worker.log
_PAGE = 500
_TTL_MS = 14 * 24 * 3600 * 1000


class EventStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def append(self, task_id: str, events: list[Event]) -> None:
        """The newest 2,000 or so are kept, for two weeks after the last."""
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
            failed = [answer for answer in pipe.execute(raise_on_error=False) if is_error(answer)]
        if failed and is_wrong_type(failed[0]):  # the log has them all
            self._db.wrong_type(keys.events(task_id), _what(task_id))
        elif failed:
            with self._db.errors():
                raise failed[0]

    def last(self, task_id: str) -> Event | None:
        """The newest; None: there is none, or it cannot be read."""
        return self.lasts([task_id]).get(task_id)

    def lasts(self, task_ids: Collection[str]) -> dict[str, Event]:
        """The newest event of each task that has one, in one round trip."""
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for task_id in task_ids:
                pipe.xrevrange(keys.events(task_id), count=1)
            found = pipe.execute(raise_on_error=False)
        newest = {}
        for task_id, rows in zip(task_ids, found, strict=True):
            if is_error(rows) and is_wrong_type(rows):
                self._db.wrong_type(keys.events(task_id), _what(task_id))
            elif is_error(rows):
                with self._db.errors():
                    raise rows
            elif rows and (event := self._event(task_id, rows[0][1])):
                newest[task_id] = event
        return newest

    def tail(self, task_id: str, count: int) -> tuple[list[Event], str]:
        """The newest `count` events, oldest first, and the position after them for `read`."""
        rows = self._rows(task_id, lambda client, key: client.xrevrange(key, count=count))
        return self._events(task_id, reversed(rows)), rows[0][0] if rows else "0"

    def every(self, task_id: str, kinds: Collection[str] = ()) -> Iterator[Event]:
        """All that is kept of a task, or of these kinds only, oldest first."""
        after = "0"
        while True:
            rows = self._rows(task_id, partial(_page, after=after))
            wanted = (row for row in rows if not kinds or row[1].get("kind") in kinds)
            yield from self._events(task_id, wanted)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def read(self, task_id: str, after: str = "0", wait_ms: int = 0) -> tuple[list[Event], str]:
        """At most 500 events after a stream position ("0": from the first), and the next position.
        Waits up to `wait_ms` for one, which has to be shorter than the connection waits for any
        answer; 0: not at all.
        """
        block = {"block": wait_ms} if wait_ms else {}
        answer = self._rows(
            task_id, lambda client, key: client.xread({key: after}, count=_PAGE, **block)
        )
        if not answer:
            return [], after
        rows = next(iter(answer.values()))[0] if isinstance(answer, dict) else answer[0][1]
        return self._events(task_id, rows), rows[-1][0]

    def _rows(self, task_id: str, call: Callable[[Any, str], Any]) -> Any:
        key = keys.events(task_id)
        return self._db.ask(key, _what(task_id), lambda client: call(client, key), [])

    def _events(self, task_id: str, rows: Iterable[Any]) -> list[Event]:
        return [event for _, row in rows if (event := self._event(task_id, row))]

    def _event(self, task_id: str, row: dict[str, str]) -> Event | None:
        """None: it cannot be read, and is named."""
        try:
            need_text(row)
            return Event.model_validate({**row, "data": json.loads(row.get("data") or "{}")})
        except MALFORMED as error:
            self._db.unreadable.add(keys.events(task_id), _what(task_id), fault(error))
            return None


def _what(task_id: str) -> str:
    return f"what is told of task {task_id} while it runs"


def _page(client: Any, key: str, after: str) -> Any:
    return client.xrange(key, f"({after}", count=_PAGE)
