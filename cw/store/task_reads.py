"""What the task records say. Nothing here changes one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from cw.errors import ForgedError
from cw.models import Task
from cw.names import is_task_id, same_repo
from cw.states import State
from cw.store import keys
from cw.store.clock import epoch_ms
from cw.store.connection import Connection
from cw.store.signing import is_genuine
from cw.store.task_record import is_newer, read_task
from cw.store.unreadable import is_text, printable

_OPEN = "the list of open tasks"
_DONE = "the list of finished tasks"
_FINISHED = "the list of finished issues"

_AT_ONCE = 500  # records or ids of one answer


class TaskReads:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def get(self, task_id: str) -> Task | None:
        """None: there is none, or `unreadable` says what is wrong with it."""
        return next(iter(self._many([task_id])), None)

    def unreadable(self, task_id: str) -> str:
        """Why a task that was looked at has no record that can be read; empty when it has."""
        return self._db.unreadable.why(keys.task(task_id))

    def prompt(self, task_id: str) -> str:
        """Empty: there is none. It may be anybody's: `genuine` has what may be run."""
        key, what = keys.prompt(task_id), f"the prompt of task {task_id}"
        text = self._db.ask(key, what, lambda client: client.get(key), None) or ""
        if is_text(text):
            return text
        self._db.unreadable.add(key, what, "it is no UTF-8 text")
        return printable(text)  # and so not the one that was signed

    def genuine(self, task_id: str, worker: str) -> tuple[Task, str] | None:
        """A task and its prompt, as they were dispatched, for a worker who may have it.

        Whoever can write to the broker can write there what they like; only this is to be run.
        None: there is no such record. Raises ForgedError.
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
        key = keys.task(task_id)
        state, owner = self._db.ask(
            key,
            f"task {task_id}",
            lambda client: client.hmget(key, "state", "worker"),
            (None, None),
        )
        return state == State.QUEUED and owner in {None, "", worker}

    def claimed_by(self, place: str, issue: int) -> str | None:
        """The id of the unfinished task that has this issue. `place`: of a spec's key; or a name,
        which tasks of before have.
        """
        key = keys.claim(place, issue)
        holder: str | None = self._db.ask(
            key, f"the claim of {place}#{issue}", lambda client: client.get(key), None
        )
        if holder is not None and not is_task_id(holder):
            self._db.unreadable.add(key, f"the claim of {place}#{issue}", "it names no task")
        return holder

    def claimed_by_name(self, issue: int) -> list[Task]:
        """Unfinished tasks of before that have an issue of this number, of whatever repository."""
        return [
            task
            for task in self.open_tasks()
            if task.spec.github and task.spec.issue == issue and not task.spec.repo_id
        ]

    def open_tasks(self) -> list[Task]:
        """Every task without an outcome, oldest first."""
        return self._listed(keys.OPEN, lambda client: client.zrange(keys.OPEN, 0, -1))

    def done_tasks(self, limit: int, skip: int = 0) -> list[Task]:
        """The newest `limit` finished tasks after the first `skip`, newest first. Fewer when some
        of these cannot be read; what is over is asked of `done_count`.
        """
        last = skip + limit - 1
        return self._listed(keys.DONE, lambda client: client.zrevrange(keys.DONE, skip, last))

    def done_count(self) -> int:
        """Finished tasks that are kept, those that cannot be read as well."""
        return int(self._db.ask(keys.DONE, _DONE, lambda client: client.zcard(keys.DONE), 0))

    def done_since(self, moment: datetime) -> list[Task]:
        """Tasks that ended at this moment of the server's clock or later, oldest first."""
        begin = epoch_ms(moment)
        return self._listed(
            keys.DONE, lambda client: client.zrangebyscore(keys.DONE, begin, "+inf")
        )

    def finished(
        self,
        issues: Collection[tuple[str, int]],
        names: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> dict[tuple[str, int], Task]:
        """The last finished task of each of these issues that has one. `names`: what each
        repository was called in records of before.
        """
        ids: dict[str, str] = self._db.ask(
            keys.FINISHED, _FINISHED, lambda client: client.hgetall(keys.FINISHED), {}
        )
        wanted = {}
        for place, number in issues:
            fields = [keys.issue(name, number) for name in (place, *names.get(place, ()))]
            found = [ids[field] for field in fields if field in ids]
            if found:
                wanted[place, number] = max(found)  # ids sort by creation
        tasks = {task.spec.id: task for task in self._many(wanted.values())}
        return {issue: tasks[task_id] for issue, task_id in wanted.items() if task_id in tasks}

    def all_tasks(self) -> Iterator[Task]:
        """Open ones, then finished ones, newest first."""
        yield from reversed(self.open_tasks())
        skip = 0
        while found := self.done_tasks(_AT_ONCE, skip):
            yield from found
            skip += _AT_ONCE

    def beginning_with(self, prefix: str) -> list[str]:
        """Ids, open or finished, that begin so."""
        done = self._ids(
            keys.DONE,
            lambda client: [
                task_id
                for task_id, _ in client.zscan_iter(keys.DONE, match=f"{prefix}*", count=_AT_ONCE)
            ],
        )
        found = {*self._ids(keys.OPEN, lambda client: client.zrange(keys.OPEN, 0, -1)), *done}
        return sorted(task_id for task_id in found if task_id.startswith(prefix))

    def of_issue(self, number: int, repo: str) -> list[str]:
        """Ids of the task that has this issue, else had it last; without `repo`, in each repository
        that is known to have such a task.
        """
        last: dict[str, str] = self._db.ask(
            keys.FINISHED,
            _FINISHED,
            lambda client: dict(
                client.hscan_iter(keys.FINISHED, match=f"*#{number}", count=_AT_ONCE)
            ),
            {},
        )
        done = [task for name, task in last.items() if name.rpartition("#")[2] == str(number)]
        latest: dict[str, str] = {}  # by name, as people type it; ids sort by creation
        for spec in (task.spec for task in (*self._many(done), *self.open_tasks())):
            if spec.issue == number and (not repo or same_repo(spec.repo, repo)):
                latest[spec.repo.lower()] = max(latest.get(spec.repo.lower(), ""), spec.id)
        return list(latest.values())

    def neighbours(self, oldest: datetime) -> list[str]:
        """Ids of all tasks that were open at this moment or later."""
        since = epoch_ms(oldest)
        return [
            *self._ids(keys.OPEN, lambda client: client.zrange(keys.OPEN, 0, -1)),
            *self._ids(keys.DONE, lambda client: client.zrangebyscore(keys.DONE, since, "+inf")),
        ]

    def waiting(self, worker: str | None) -> list[str]:
        """Ids queued for a worker, or in the pool, in order."""
        key = keys.waiting(worker)
        what = f"the line of worker {worker}" if worker else "the pool"
        return list(self._db.ask(key, what, lambda client: client.zrange(key, 0, -1), []))

    def too_new(self) -> list[str]:
        """Ids of open tasks that were made by a newer cw than this one."""
        ids: list[str] = self._db.ask(
            keys.OPEN, _OPEN, lambda client: client.zrange(keys.OPEN, 0, -1), []
        )
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for task_id in ids:
                pipe.hget(keys.task(task_id), "protocol")
            made = pipe.execute(raise_on_error=False)
        return [task_id for task_id, row in zip(ids, made, strict=True) if is_newer(row)]

    def now(self) -> datetime:
        """The server's clock, the only one that decides about leases and holds."""
        with self._db.errors() as client:
            seconds, micros = client.time()
        return datetime.fromtimestamp(seconds + micros / 1e6).astimezone()

    def _listed(self, key: str, ids: Callable[[Any], list[str]]) -> list[Task]:
        """Tasks of an index. One that the index alone knows is named, too."""
        return self._many(self._ids(key, ids), index=key)

    def _ids(self, key: str, ids: Callable[[Any], list[str]]) -> list[str]:
        return self._db.ask(key, _OPEN if key == keys.OPEN else _DONE, ids, [])

    def _many(self, ids: Iterable[str], index: str = "") -> list[Task]:
        wanted = list(ids)
        names = [keys.task(task_id) for task_id in wanted]
        rows = self._db.hashes(names, [f"task {task_id}" for task_id in wanted])
        found = []
        for task_id, row in zip(wanted, rows, strict=True):
            if not row and index:
                self._missing(task_id, index)
            elif row and (task := self._read(task_id, row)):
                found.append(task)
        return found

    def _read(self, task_id: str, row: dict[str, str]) -> Task | None:
        task = read_task(row)
        if isinstance(task, Task):
            self._db.unreadable.well(keys.task(task_id))
            return task
        if not is_newer(row.get("protocol")):
            self._db.unreadable.add(keys.task(task_id), f"task {task_id}", task)
        return None

    def _missing(self, task_id: str, index: str) -> None:
        """Asked again: it may just have been withdrawn, or trimmed."""
        key = keys.task(task_id)
        with self._db.errors() as client:
            gone = client.zscore(index, task_id) is None or client.exists(key)
        if not gone:
            self._db.unreadable.add(
                key, f"task {task_id}", f"{index} names it, and it is not there"
            )
