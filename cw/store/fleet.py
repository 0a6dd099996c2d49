"""What workers and hosts there are."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from cw.models import SILENT_AFTER, Host, Worker
from cw.store import keys
from cw.store.clock import epoch_ms, ms
from cw.store.connection import Connection


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
        with self._db.errors() as client:
            ids = sorted(client.smembers(keys.WORKERS))
            pipe = client.pipeline(transaction=False)
            for one in ids:
                pipe.hgetall(keys.worker(one))
            rows = pipe.execute()
        return [_record(Worker, row | {"id": one}) for one, row in zip(ids, rows, strict=True)]

    def worker(self, worker_id: str) -> Worker | None:
        with self._db.errors() as client:
            if not client.sismember(keys.WORKERS, worker_id):
                return None
            row = client.hgetall(keys.worker(worker_id))
        return _record(Worker, row | {"id": worker_id})

    def pause(self, worker_id: str, note: str, by: str = "") -> None:
        """It finishes what it runs and takes nothing more. An empty note resumes it. `by`: see
        `Worker.paused_by`.
        """
        with self._db.errors() as client:
            told = {"paused": note, "paused_by": by if note else ""}
            client.hset(keys.worker(worker_id), mapping=told)

    def forget(self, worker_id: str) -> None:
        with self._db.errors() as client:
            client.srem(keys.WORKERS, worker_id)
            client.delete(keys.worker(worker_id))

    def beat(self, host: Host, now: datetime) -> bool:
        """A host's sign of life. False: another machine that is up has its name, and nothing was
        recorded but that there are two.
        """
        row = host.model_dump(exclude={"seen_at", "rival_at"}) | {"seen_at": epoch_ms(now)}
        fields = [part for pair in row.items() for part in pair]
        names = [keys.host(host.name), keys.HOSTS]
        args = [host.name, host.machine, ms(SILENT_AFTER.total_seconds()), *fields]
        return bool(self._db.run("beat", names, args))

    def leave(self, name: str) -> None:
        """A host that stops on purpose is not silent, it is gone."""
        with self._db.errors() as client:
            client.hset(keys.host(name), "seen_at", "")

    def lengths(self, queues: list[str]) -> dict[str, int]:
        """How many messages wait in each of these Celery queues."""
        with self._db.errors() as client:
            pipe = client.pipeline(transaction=False)
            for one in queues:
                pipe.llen(one)
            return dict(zip(queues, map(int, pipe.execute()), strict=True))

    def forget_host(self, name: str) -> None:
        with self._db.errors() as client:
            client.srem(keys.HOSTS, name)
            client.delete(keys.host(name))

    def hosts(self) -> list[Host]:
        with self._db.errors() as client:
            names = sorted(client.smembers(keys.HOSTS))
            rows = [client.hgetall(keys.host(name)) for name in names]
        return [_record(Host, row | {"name": name}) for name, row in zip(names, rows, strict=True)]


M = TypeVar("M", Host, Worker)


def _record(kind: type[M], row: dict[str, str]) -> M:
    """What a host with a newer cw has written besides is none of our business."""
    return kind.model_validate({key: row[key] for key in row if key in kind.model_fields})
