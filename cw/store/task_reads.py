"""What the task records say. Nothing here changes one."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from cw.errors import ForgedError
from cw.models import PROTOCOL, Task
from cw.states import State
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.connection import Connection
from cw.store.signing import is_genuine

_BY_ID = keys.claim("@", 0).partition("#")[0]

log = logging.getLogger("cw.store.tasks")


class TaskReads:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def get(self, task_id: str) -> Task | None:
        with self._db.errors() as client:
            return _task(client.hgetall(keys.task(task_id)))

    def prompt(self, task_id: str) -> str:
        with self._db.errors() as client:
            return client.get(keys.prompt(task_id)) or ""

    def genuine(self, task_id: str, worker: str) -> tuple[Task, str] | None:
        """A task and its prompt, as they were dispatched, for a worker who may have it.

        Whoever can write to the broker can write there what they like; only this is to be run.
        Raises ForgedError.
        """
        task, prompt = self.get(task_id), self.prompt(task_id)
        if task is None:
            return None
        if not is_genuine(self._db.keyring, task.spec, prompt):
            raise ForgedError(
                "its record is not signed with the key of this host, or was changed since",
                hint="Compare the keys: cw doctor; or cw cancel it and dispatch it again",
            )
        if task.spec.id != task_id or task.spec.wanted_worker not in {None, worker}:
            raise ForgedError("its record was signed for another task or worker")
        return task, prompt

    def waits_for(self, task_id: str, worker: str | None) -> bool:
        """Whether a task is queued for this worker, or for anyone. None: for anyone."""
        with self._db.errors() as client:
            state, owner = client.hmget(keys.task(task_id), "state", "worker")
        return state == State.QUEUED and owner in {None, "", worker}

    def claimed_by(self, place: str, issue: int) -> str | None:
        """`place`: a spec's key; or a name, which tasks of before have."""
        with self._db.errors() as client:
            holder: str | None = client.get(keys.claim(place, issue))
            return holder

    def claimed_by_name(self, issue: int) -> list[Task]:
        """Unfinished tasks of before that have an issue of this number, of whatever repository."""
        with self._db.errors() as client:
            ids = client.zrange(keys.OPEN, 0, -1)
            pipe = client.pipeline(transaction=False)
            for one in ids:
                pipe.hget(keys.task(one), "claim")
            claims = pipe.execute()
        old = [
            one
            for one, claim in zip(ids, claims, strict=True)
            if claim and claim.endswith(f"#{issue}") and not claim.startswith(_BY_ID)
        ]
        return [task for task in self._many(old) if task.spec.github]

    def open_tasks(self) -> list[Task]:
        """Every task without an outcome, oldest first."""
        with self._db.errors() as client:
            return self._many(client.zrange(keys.OPEN, 0, -1))

    def done_tasks(self, limit: int, skip: int = 0) -> list[Task]:
        """The newest `limit` finished tasks after the first `skip`, newest first."""
        with self._db.errors() as client:
            return self._many(client.zrevrange(keys.DONE, skip, skip + limit - 1))

    def done_since(self, moment: datetime) -> list[Task]:
        """Tasks that ended at this moment of the server's clock or later, oldest first."""
        with self._db.errors() as client:
            return self._many(client.zrangebyscore(keys.DONE, epoch_ms(moment), "+inf"))

    def finished(
        self,
        issues: Collection[tuple[str, int]],
        names: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> dict[tuple[str, int], Task]:
        """The last finished task of each of these issues that has one. `names`: what each
        repository was called in records of before.
        """
        with self._db.errors() as client:
            ids = client.hgetall(keys.FINISHED)
        wanted = {}
        for place, number in issues:
            fields = [keys.issue(one, number) for one in (place, *names.get(place, ()))]
            found = [ids[one] for one in fields if one in ids]
            if found:
                wanted[place, number] = max(found)  # ids sort by creation
        tasks = {one.spec.id: one for one in self._many(wanted.values())}
        return {one: tasks[task_id] for one, task_id in wanted.items() if task_id in tasks}

    def waiting(self, worker: str | None) -> list[str]:
        """Ids queued for a worker, or in the pool, in order."""
        with self._db.errors() as client:
            return list(client.zrange(keys.waiting(worker), 0, -1))

    def too_new(self) -> list[str]:
        """Ids of open tasks that were made by a newer cw than this one."""
        with self._db.errors() as client:
            ids = client.zrange(keys.OPEN, 0, -1)
            pipe = client.pipeline(transaction=False)
            for one in ids:
                pipe.hget(keys.task(one), "protocol")
            made = pipe.execute()
        return [one for one, row in zip(ids, made, strict=True) if int(row or 0) > PROTOCOL]

    def now(self) -> datetime:
        """The server's clock, the only one that decides about leases and holds."""
        with self._db.errors() as client:
            seconds, micros = client.time()
        return datetime.fromtimestamp(seconds + micros / 1e6).astimezone()

    def _many(self, ids: Iterable[str]) -> list[Task]:
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for one in ids:
                pipe.hgetall(keys.task(one))
            return [task for row in pipe.execute() if (task := _task(row))]


def _task(row: dict[str, str]) -> Task | None:
    if not row or "spec" not in row:
        return None
    data: dict[str, object] = {k: v for k, v in row.items() if k not in {"claim", "was"}}
    try:
        data["spec"] = json.loads(row["spec"])
        data["outcome"] = json.loads(row["outcome"]) if row.get("outcome") else None
        return Task.model_validate(data)
    except (ValueError, TypeError, RecursionError, OverflowError):
        log.warning("a record cannot be read, and is passed over")
        return None
