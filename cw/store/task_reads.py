"""What the task records say. Nothing here changes one."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from cw.errors import ForgedError
from cw.models import PROTOCOL, Task
from cw.states import State
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.connection import Connection
from cw.store.signing import is_genuine

log = logging.getLogger("cw.store.tasks")

_AT_ONCE = 500  # records or ids of one answer


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

    def claimed_by(self, repo: str, issue: int) -> str | None:
        with self._db.errors() as client:
            holder: str | None = client.get(keys.claim(repo, issue))
            return holder

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

    def finished(self, issues: Collection[tuple[str, int]]) -> dict[tuple[str, int], Task]:
        """The last finished task of each of these issues that has one."""
        with self._db.errors() as client:
            ids = client.hgetall(keys.FINISHED)
        wanted = {one: ids[name] for one in issues if (name := keys.issue(*one)) in ids}
        tasks = {one.spec.id: one for one in self._many(wanted.values())}
        return {one: tasks[task_id] for one, task_id in wanted.items() if task_id in tasks}

    def all_tasks(self) -> Iterator[Task]:
        """Open ones, then finished ones, newest first."""
        yield from reversed(self.open_tasks())
        skip = 0
        while found := self.done_tasks(_AT_ONCE, skip):
            yield from found
            skip += _AT_ONCE

    def beginning_with(self, prefix: str) -> list[str]:
        """Ids, open or finished, that begin so."""
        with self._db.errors() as client:
            found = {one for one in client.zrange(keys.OPEN, 0, -1) if one.startswith(prefix)}
            done = client.zscan_iter(keys.DONE, match=f"{prefix}*", count=_AT_ONCE)
            return sorted(found | {one for one, _ in done})

    def of_issue(self, number: int, repo: str) -> list[str]:
        """Ids of the task that has this issue, else had it last; without `repo`, in each repository
        that is known to have such a task.
        """
        with self._db.errors() as client:
            last = client.hscan_iter(keys.FINISHED, match=f"*#{number}", count=_AT_ONCE)
            by_issue = {name: task for name, task in last if name.rpartition("#")[2] == str(number)}
        open_ones = [one.spec for one in self.open_tasks() if one.spec.issue == number]
        by_issue |= {keys.issue(one.repo, number): one.id for one in open_ones}
        wanted = keys.issue(repo, number)
        return [task for name, task in by_issue.items() if not repo or name == wanted]

    def neighbours(self, oldest: datetime) -> list[str]:
        """Ids of all tasks that were open at this moment or later."""
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            pipe.zrange(keys.OPEN, 0, -1)
            pipe.zrangebyscore(keys.DONE, epoch_ms(oldest), "+inf")
            return [one for ids in pipe.execute() for one in ids]

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
