"""What workers and hosts there are."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from cw.errors import UnreadableError
from cw.fleet_models import SILENT_AFTER, Host, Worker
from cw.models import MALFORMED
from cw.store import keys
from cw.store.clock import epoch_ms, ms
from cw.store.connection import Connection
from cw.store.unreadable import fault, is_text, need_text

M = TypeVar("M", Host, Worker)

_WORKERS = "the list of workers"
_HOSTS = "the list of hosts"


class FleetStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def register_worker(self, worker: Worker, machine: str = "") -> str:
        """Record where a worker lives; whatever task it has stays.

        Returns the host that has a worker of this id already, on another machine; else nothing.
        """
        at = epoch_ms(worker.registered_at) if worker.registered_at else ""
        args = [worker.id, worker.host, worker.home, at, machine]
        return str(self._db.run("register", [keys.worker(worker.id), keys.WORKERS], args))

    def workers(self) -> list[Worker]:
        """By id."""
        return self._workers(sorted(self._names(keys.WORKERS, _WORKERS)))

    def worker(self, worker_id: str) -> Worker | None:
        """None: there is none, or `unreadable` says what is wrong with its record."""
        there = self._db.ask(
            keys.WORKERS, _WORKERS, lambda client: client.sismember(keys.WORKERS, worker_id), 0
        )
        return next(iter(self._workers([worker_id])), None) if there else None

    def unreadable(self, worker_id: str) -> str:
        """Why a worker that was looked at has no record that can be read; empty when it has."""
        return self._db.unreadable.why(keys.worker(worker_id))

    def renew_worker(self, worker: Worker, machine: str = "") -> bool:
        """In the place of a record that cannot be read. False: it is another host's to do."""
        row = self._db.hashes([keys.worker(worker.id)], [f"worker {worker.id}"])[0] or {}
        if row.get("host", worker.host) != worker.host and is_text(row["host"]):
            return False
        self._db.set_aside(keys.worker(worker.id))
        self.register_worker(worker, machine)
        kept = {"paused": worker.paused, "task": row.get("task", "")}
        with self._db.errors() as client:
            client.hset(
                keys.worker(worker.id),
                mapping={name: value for name, value in kept.items() if is_text(value)},
            )
        return True

    def pause(self, worker_id: str, note: str, by: str = "") -> None:
        """It finishes what it runs and takes nothing more. An empty note resumes it. `by`: see
        `Worker.paused_by`.
        """
        with self._db.errors() as client:
            told = {"paused": note, "paused_by": by if note else ""}
            client.hset(keys.worker(worker_id), mapping=told)

    def forget(self, worker_id: str) -> None:
        """As if it had never been. Its HOME, its line and its tasks are left as they are."""
        with self._db.errors() as client:
            client.srem(keys.WORKERS, worker_id)
            client.delete(keys.worker(worker_id))

    def beat(self, host: Host, now: datetime) -> bool:
        """A host's sign of life. False: another machine that is up has its name, and nothing was
        recorded but that there are two.
        """
        row = host.model_dump(exclude={"seen_at", "rival_at", "late"}) | {"seen_at": epoch_ms(now)}
        fields = [part for pair in row.items() for part in pair]
        names = [keys.host(host.name), keys.HOSTS]
        args = [host.name, host.machine, ms(SILENT_AFTER.total_seconds()), *fields]
        try:
            return bool(self._db.run("beat", names, args))
        except UnreadableError:  # all of it is ours to say
            self._db.set_aside(names[0])
            return bool(self._db.run("beat", names, args))

    def note_late(self, name: str, words: str) -> None:
        """What of a host's GitHub writes waits, and why."""
        with self._db.errors() as client:
            client.hset(keys.host(name), "late", words)

    def leave(self, name: str) -> None:
        """A host that stops on purpose is not silent, it is gone."""
        with self._db.errors() as client:
            client.hset(keys.host(name), "seen_at", "")

    def lengths(self, queues: list[str]) -> dict[str, int]:
        """How many messages wait in each of these Celery queues."""
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for queue in queues:
                pipe.llen(queue)
            return dict(zip(queues, map(int, pipe.execute()), strict=True))

    def forget_host(self, name: str) -> None:
        with self._db.errors() as client:
            client.srem(keys.HOSTS, name)
            client.delete(keys.host(name))

    def hosts(self) -> list[Host]:
        names = sorted(self._names(keys.HOSTS, _HOSTS))
        rows = self._db.hashes(
            [keys.host(name) for name in names], [f"host {name}" for name in names]
        )
        found = (
            self._record(Host, keys.host(name), f"host {name}", row, name=name)
            for name, row in zip(names, rows, strict=True)
        )
        return [host for host in found if host]

    def _workers(self, ids: list[str]) -> list[Worker]:
        rows = self._db.hashes(
            [keys.worker(worker) for worker in ids], [f"worker {worker}" for worker in ids]
        )
        found = (
            self._record(Worker, keys.worker(worker), f"worker {worker}", row, id=worker)
            for worker, row in zip(ids, rows, strict=True)
        )
        return [worker for worker in found if worker]

    def _names(self, key: str, what: str) -> set[str]:
        return self._db.ask(key, what, lambda client: set(client.smembers(key)), set())

    def _record(
        self, kind: type[M], key: str, what: str, row: dict[str, str] | None, **own: str
    ) -> M | None:
        """What a host with a newer cw has written besides is none of our business."""
        if row is None:
            return None
        known = {field: row[field] for field in row if field in kind.model_fields}
        try:
            need_text(known | own)
            found = kind.model_validate(known | own)
        except MALFORMED as error:
            self._db.unreadable.add(key, what, fault(error))
            return None
        self._db.unreadable.well(key)
        return found
