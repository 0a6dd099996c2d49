"""Records of pull requests: begun, moved, forgotten."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from cw.models import MALFORMED, Outcome
from cw.pulls.record import PullRecord
from cw.pulls.states import PullMove, sources, target
from cw.states import OutcomeKind
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.connection import Connection
from cw.store.notices import NOTHING, Told, following
from cw.store.unreadable import fault, need_text

_APART = {"state", "task", "revision"}  # that the scripts read, beside the rest
_WHAT = "the list of pull requests"


class PullStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def known(self) -> dict[tuple[str, int], str]:
        """By place and number: the task that each goes by. Raises BrokerUnavailableError."""
        names = [*self._names(keys.PULLS), *self._names(keys.PULLS_ENDED)]
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for name in names:
                pipe.hget(keys.pull(name), "task")
            tasks = pipe.execute(raise_on_error=False)
        return {
            key: task
            for name, task in zip(names, tasks, strict=True)
            if isinstance(task, str) and (key := _key(name))
        }

    def get(self, key: tuple[str, int]) -> PullRecord | None:
        """None: there is none, or it cannot be read."""
        return next(iter(self._read([keys.issue(*key)])), None)

    def open(self) -> list[PullRecord]:
        """The oldest first."""
        return sorted(self._read(self._names(keys.PULLS)), key=_made)

    def ended(self, since: datetime | None = None) -> list[PullRecord]:
        """The newest first. `since`: only those that ended at that time or later."""
        begin = epoch_ms(since) if since else "-inf"
        names: list[str] = self._db.ask(
            keys.PULLS_ENDED,
            _WHAT,
            lambda client: client.zrevrangebyscore(keys.PULLS_ENDED, "+inf", begin),
            [],
        )
        return self._read(names)

    def due(self, until: datetime) -> list[PullRecord]:
        """Those of the open ones that are to be looked at by then, the longest waiting first."""
        names: list[str] = self._db.ask(
            keys.PULLS,
            _WHAT,
            lambda client: client.zrangebyscore(keys.PULLS, "-inf", epoch_ms(until)),
            [],
        )
        return self._read(names)

    def new(self) -> list[str]:
        """Ids of tasks that ended with a pull request which `begin` has not seen."""
        found: set[str] = self._db.ask(
            keys.PULLS_NEW, _WHAT, lambda client: client.smembers(keys.PULLS_NEW), set()
        )
        return sorted(found)

    def begin(self, record: PullRecord) -> bool:
        """Watch it. False: it is known, of this task or of a later one."""
        name = keys.issue(*record.key)
        args = [name, record.task, target(PullMove.BEGIN).value, _text(record)]
        return bool(self._db.run("pull_begin", _keys(name), args))

    def not_new(self, tasks: Collection[str]) -> None:
        """Their pull requests are watched, or need nobody."""
        if tasks:
            with self._db.errors() as client:
                client.srem(keys.PULLS_NEW, *tasks)

    def move(
        self,
        record: PullRecord,
        move: PullMove,
        next_at: datetime | None,
        told: Told = NOTHING,
    ) -> bool:
        """`record`: as it was read, but for what the move changes. `next_at` None: it has ended.
        `told`: what follows. False: somebody has changed it since.
        """
        name = keys.issue(*record.key)
        outboxes, rows = following(self._db, told)
        args = [
            name,
            sources(move),
            target(move).value,
            str(record.revision),
            _text(record),
            epoch_ms(next_at) if next_at else "",
            *rows,
        ]
        return bool(self._db.run("pull_move", [*_keys(name), *outboxes], args))

    def wait(self, records: Mapping[tuple[str, int], datetime]) -> None:
        """Nothing is new of these: their next looks."""
        if records:
            scores = {keys.issue(*key): epoch_ms(at) for key, at in records.items()}
            with self._db.errors() as client:
                client.zadd(keys.PULLS, scores, xx=True)

    def trim(self, limit: int) -> None:
        """Forget the oldest of those that ended beyond `limit`, once their tasks are forgotten."""
        with self._db.errors() as client:
            old = client.zrange(keys.PULLS_ENDED, 0, -limit - 1)
            tasks = [client.hget(keys.pull(name), "task") for name in old]
            gone = [
                name
                for name, task in zip(old, tasks, strict=True)
                if not task or not client.exists(keys.task(task))
            ]
            if gone:
                client.delete(*map(keys.pull, gone))
                client.zrem(keys.PULLS_ENDED, *gone)

    def _names(self, index: str) -> list[str]:
        names: list[str] = self._db.ask(
            index, _WHAT, lambda client: client.zrange(index, 0, -1), []
        )
        return names

    def _read(self, names: Collection[str]) -> list[PullRecord]:
        wanted = list(names)
        what = [f"the record of pull request {name}" for name in wanted]
        rows = self._db.hashes([keys.pull(name) for name in wanted], what)
        found = []
        for name, words, row in zip(wanted, what, rows, strict=True):
            if row == {}:
                self._unlist(name)
            elif row and (record := self._record(name, words, row)):
                found.append(record)
        return found

    def _record(self, name: str, what: str, row: dict[str, str]) -> PullRecord | None:
        try:
            need_text(row)
            known: dict[str, Any] = json.loads(row.get("record", "null"))
            apart = {field: row[field] for field in _APART if field in row}
            record = PullRecord.model_validate({**known, **apart})
            if keys.issue(*record.key) != name:
                raise ValueError("it is of another one")
        except MALFORMED as error:
            self._db.unreadable.add(keys.pull(name), what, fault(error))
            return None
        self._db.unreadable.well(keys.pull(name))
        return record

    def _unlist(self, name: str) -> None:
        """Its record is gone; it begins again with its task."""
        with self._db.errors() as client:
            if not client.exists(keys.pull(name)):
                client.zrem(keys.PULLS, name)
                client.zrem(keys.PULLS_ENDED, name)


def new_pull(outcome: Outcome, *, of_pull: bool = False) -> list[str]:
    """The last key of each script that ends a task, for the end that proved one. `of_pull`: it is
    told again by an archive, and mended or read one.
    """
    proved = outcome.kind is OutcomeKind.SUCCEEDED and outcome.pr
    return [keys.PULLS_NEW] if proved or of_pull else []


def _keys(name: str) -> list[str]:
    return [keys.pull(name), keys.PULLS, keys.PULLS_ENDED]


def _key(name: str) -> tuple[str, int] | None:
    place, _, number = name.rpartition("#")
    return (place, int(number)) if number.isdigit() else None


def _text(record: PullRecord) -> str:
    return record.model_dump_json(exclude=_APART)


def _made(record: PullRecord) -> tuple[datetime, str]:
    return record.made_at, record.name
