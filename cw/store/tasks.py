"""Task records: create, take, renew, end, find."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from cw.errors import ClaimedError, ForgedError
from cw.models import PROTOCOL, Outcome, Task, TaskSpec
from cw.states import Move, State, sources, target
from cw.store import keys
from cw.store.connection import Connection
from cw.store.outbox import Effect, sealed
from cw.store.signing import is_genuine, sign

log = logging.getLogger("cw.store.tasks")


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to run a task until the lease ends."""

    task_id: str
    fence: int
    attempt: int
    session: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a task was not given: its state, `gone`, `busy` or `other worker`."""

    reason: str


class TaskStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def create(self, spec: TaskSpec, prompt: str) -> None:
        """Claim the issue and record the task, signed, at once. Raises ClaimedError."""
        names = [
            keys.task(spec.id),
            keys.OPEN,
            keys.waiting(spec.wanted_worker),
            keys.prompt(spec.id),
        ]
        if spec.issue is not None:
            names.append(keys.claim(spec.repo, spec.issue))
        signed = sign(self._db.keyring, spec)
        args = [spec.id, signed.model_dump_json(), prompt, spec.wanted_worker or "", PROTOCOL]
        created, holder = self._db.run("create", names, args)
        if not created:
            raise ClaimedError(f"{spec.label} already has task {holder}", task_id=str(holder))

    def withdraw(self, spec: TaskSpec) -> bool:
        """Undo `create`, unless a host has or had the task."""
        names = [
            keys.task(spec.id),
            keys.OPEN,
            keys.waiting(spec.wanted_worker),
            keys.prompt(spec.id),
        ]
        return bool(self._db.run("withdraw", names, [spec.id, sources(Move.WITHDRAW)]))

    def acquire(
        self, task_id: str, *, worker: str, host: str, ttl: float, session: str
    ) -> Grant | Refusal:
        """Take a queued task for an idle worker. `session` is used when it has none yet."""
        args = [
            task_id,
            worker,
            host,
            _ms(ttl),
            sources(Move.ACQUIRE),
            target(Move.ACQUIRE),
            session,
            PROTOCOL,
        ]
        answer = self._db.run("acquire", self._lease_keys(task_id, worker), args)
        if not answer[0]:
            return Refusal(str(answer[1]))
        return Grant(task_id, int(answer[1]), int(answer[2]), str(answer[3]))

    def adopt(
        self,
        task_id: str,
        *,
        worker: str,
        host: str,
        ttl: float,
        fence: int,
        restarted: bool = False,
    ) -> int | Refusal:
        """Take the lease again for a live run that had `fence`. Returns the new fence.

        `restarted`: the host process is a new one. Its predecessor may have adopted the run and
        died before it wrote that fence down.
        """
        args = [
            task_id,
            worker,
            host,
            _ms(ttl),
            sources(Move.ADOPT),
            target(Move.ADOPT),
            fence,
            int(restarted),
        ]
        answer = self._db.run("adopt", self._lease_keys(task_id, worker), args)
        return int(answer[1]) if answer[0] else Refusal(str(answer[1]))

    def restore(
        self,
        spec: TaskSpec,
        *,
        worker: str,
        host: str,
        ttl: float,
        fence: int,
        attempt: int,
        session: str,
        prompt: str = "",
    ) -> bool:
        """Record a live run again that the broker has forgotten. It keeps its fence."""
        names = [
            keys.task(spec.id),
            keys.OPEN,
            keys.worker(worker),
            keys.LEASES,
            keys.FENCE,
            keys.prompt(spec.id),
        ]
        if spec.issue is not None:
            names.append(keys.claim(spec.repo, spec.issue))
        args = [
            spec.id,
            spec.model_dump_json(),
            worker,
            host,
            _ms(ttl),
            target(Move.RESTORE),
            fence,
            attempt,
            session,
            _epoch_ms(spec.created_at),
            prompt,
        ]
        return bool(self._db.run("restore", names, args))

    def rebuild(self, task: Task) -> bool:
        """Record a finished task again that the broker has forgotten. False: it is known."""
        spec, outcome = task.spec, task.outcome
        if outcome is None or task.started_at is None or task.ended_at is None:
            raise ValueError(spec.id)
        args = [
            spec.id,
            spec.model_dump_json(),
            task.worker or "",
            task.host or "",
            target(Move.REBUILD),
            outcome.model_dump_json(),
            outcome.message,
            task.fence,
            task.attempt,
            task.session or "",
            _epoch_ms(task.started_at),
            _epoch_ms(task.ended_at),
            keys.issue(spec.repo, spec.issue) if spec.issue is not None else "",
        ]
        names = [keys.task(spec.id), keys.DONE, keys.FENCE, keys.FINISHED]
        return bool(self._db.run("rebuild", names, args))

    def renew(self, task_id: str, fence: int, ttl: float) -> bool:
        """False: somebody else has the task now, or it was ended."""
        return bool(
            self._db.run(
                "renew",
                [keys.task(task_id), keys.LEASES, keys.COUNTS],
                [task_id, str(fence), _ms(ttl)],
            )
        )

    def settle(
        self,
        task_id: str,
        *,
        worker: str,
        fence: int,
        move: Move,
        outcome: Outcome,
        effects: list[Effect],
        host: str,
        begun: bool = True,
    ) -> bool:
        """Record how a run ended, free its worker and post the GitHub writes that follow, at once.

        `begun`: it came as far as its clone. False: the fence is stale, and nothing was done.
        """
        not_before = int(outcome.retry_at.timestamp() * 1000) if outcome.retry_at else 0
        names = [
            keys.task(task_id),
            keys.worker(worker),
            keys.LEASES,
            keys.OPEN,
            keys.DONE,
            keys.HOLDS,
            keys.outbox(host),
            keys.waiting(worker),
            keys.FINISHED,
            keys.COUNTS,
            keys.COSTS,
        ]
        args = [
            task_id,
            str(fence),
            sources(move),
            target(move),
            outcome.model_dump_json(),
            outcome.message,
            not_before or "",
            int(move is Move.EXPIRE),
            int(begun),
            f"run:{outcome.kind.value}:{outcome.reason}",
            outcome.cost_usd,
            *sealed(self._db, effects),
        ]
        return bool(self._db.run("settle", names, args))

    def close(self, task: Task, outcome: Outcome, effects: list[Effect], host: str) -> bool:
        """End a task that does not run, because its issue needs nobody any more.

        False: it runs, or has ended.
        """
        spec = task.spec
        names = [
            keys.task(spec.id),
            keys.worker(task.worker or "-"),
            keys.OPEN,
            keys.DONE,
            keys.HOLDS,
            keys.outbox(host),
            keys.waiting(task.line),
            keys.waiting(None),
            keys.FINISHED,
        ]
        args = [
            spec.id,
            sources(Move.CLOSE),
            target(Move.CLOSE),
            outcome.model_dump_json(),
            outcome.message,
            *sealed(self._db, effects),
        ]
        return bool(self._db.run("close", names, args))

    def requeue(
        self,
        task: Task,
        move: Move,
        kind: str,
        reason: str,
        *,
        fence: int = 0,
        fresh: bool = False,
    ) -> bool:
        """Take a task off its run or hold. `kind`: hold, lease, host (with its fence) or person.

        False: not due, not any more, or not this holder's.
        """
        spec = task.spec
        names = [
            keys.task(spec.id),
            keys.waiting(task.line),
            keys.LEASES,
            keys.HOLDS,
        ]
        score = int(spec.created_at.timestamp() * 1000)  # it keeps its place
        args = [spec.id, sources(move), target(move), kind, reason, score, fence, int(fresh)]
        return bool(self._db.run("requeue", names, args))

    def reroute(self, task: Task) -> bool:
        """Give a task that waits for a worker whose host is lost to the pool.

        False: it does not wait for that worker any more, or is not what was dispatched: this signs
        it again, and must not sign what somebody else has written.
        """
        spec, line = task.spec, task.line or ""
        if not is_genuine(self._db.keyring, spec, self.prompt(spec.id)):
            return False
        anyone = sign(self._db.keyring, spec.model_copy(update={"wanted_worker": None}))
        names = [
            keys.task(spec.id),
            keys.worker(line),
            keys.waiting(line),
            keys.waiting(None),
        ]
        args = [
            spec.id,
            sources(Move.REROUTE),
            line,
            anyone.model_dump_json(),
            int(spec.created_at.timestamp() * 1000),
        ]
        return bool(self._db.run("reroute", names, args))

    def too_new(self) -> list[str]:
        """Ids of open tasks that were made by a newer cw than this one."""
        with self._db.errors() as client:
            ids = client.zrange(keys.OPEN, 0, -1)
            pipe = client.pipeline(transaction=False)
            for one in ids:
                pipe.hget(keys.task(one), "protocol")
            made = pipe.execute()
        return [one for one, row in zip(ids, made, strict=True) if int(row or 0) > PROTOCOL]

    def want_stop(self, task: Task, by: str) -> State | None:
        """Ask for a stop. Returns the state now: RUNNING until its host has stopped it."""
        names = [
            keys.task(task.spec.id),
            keys.waiting(task.line),
            keys.HOLDS,
        ]
        args = [task.spec.id, by, sources(Move.PARK), target(Move.PARK)]
        answer = str(self._db.run("want_stop", names, args))
        return None if answer == "gone" else State(answer)

    def get(self, task_id: str) -> Task | None:
        with self._db.errors() as client:
            return _task(client.hgetall(keys.task(task_id)))

    def waits_for(self, task_id: str, worker: str | None) -> bool:
        """Whether a task is queued for this worker, or for anyone. None: for anyone."""
        with self._db.errors() as client:
            state, owner = client.hmget(keys.task(task_id), "state", "worker")
        return state == State.QUEUED and owner in {None, "", worker}

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

    def note(self, task_id: str, reason: str) -> None:
        """Why a task that waits does not move."""
        self._db.run("note", [keys.task(task_id)], [State.QUEUED.value, reason])

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
            return self._many(client.zrangebyscore(keys.DONE, _epoch_ms(moment), "+inf"))

    def finished(self, issues: Collection[tuple[str, int]]) -> dict[tuple[str, int], Task]:
        """The last finished task of each of these issues that has one."""
        with self._db.errors() as client:
            ids = client.hgetall(keys.FINISHED)
        wanted = {one: ids[name] for one in issues if (name := keys.issue(*one)) in ids}
        tasks = {one.spec.id: one for one in self._many(wanted.values())}
        return {one: tasks[task_id] for one, task_id in wanted.items() if task_id in tasks}

    def waiting(self, worker: str | None) -> list[str]:
        """Ids queued for a worker, or in the pool, in order."""
        with self._db.errors() as client:
            return list(client.zrange(keys.waiting(worker), 0, -1))

    def first_waiting(self, worker: str | None) -> str | None:
        """The one whose turn it is in this line. Mends the line when it must."""
        args = [worker or "", State.QUEUED.value]
        return str(self._db.run("head", [keys.waiting(worker)], args)) or None

    def mark_hinted(self, task_id: str, now: datetime) -> None:
        self._db.run("hinted", [keys.task(task_id)], [_epoch_ms(now)])

    def mark_unhinted(self, task_id: str) -> None:
        self._db.run("hinted", [keys.task(task_id)], [""])

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

    def trim(self, limit: int) -> None:
        """Forget the oldest finished tasks beyond `limit`."""
        with self._db.errors() as client:
            old = client.zrange(keys.DONE, 0, -limit - 1)
            if old:
                self._forget_finished(set(old))
                client.delete(
                    *(make(one) for one in old for make in (keys.task, keys.prompt, keys.events))
                )
                client.zrem(keys.DONE, *old)

    def _forget_finished(self, tasks: set[str]) -> None:
        with self._db.errors() as client:
            gone = [name for name, task in client.hgetall(keys.FINISHED).items() if task in tasks]
            if gone:
                client.hdel(keys.FINISHED, *gone)

    @staticmethod
    def _lease_keys(task_id: str, worker: str) -> list[str]:
        return [
            keys.task(task_id),
            keys.worker(worker),
            keys.LEASES,
            keys.FENCE,
            keys.waiting(worker),
            keys.waiting(None),
        ]


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


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
