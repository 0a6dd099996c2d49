"""What workers and hosts there are."""

from __future__ import annotations

from datetime import datetime

from cw.models import Host, Worker
from cw.store import keys
from cw.store.connection import Connection


class FleetStore:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def register_worker(self, worker: Worker) -> None:
        """Record where a worker lives; whatever task it has stays."""
        fields = {"id": worker.id, "host": worker.host, "home": worker.home}
        if worker.registered_at:
            fields["registered_at"] = str(int(worker.registered_at.timestamp() * 1000))
        with self._db.errors() as client:
            client.hset(keys.worker(worker.id), mapping=fields)
            client.sadd(keys.WORKERS, worker.id)

    def workers(self) -> list[Worker]:
        with self._db.errors() as client:
            ids = sorted(client.smembers(keys.WORKERS))
            pipe = client.pipeline(transaction=False)
            for one in ids:
                pipe.hgetall(keys.worker(one))
            rows = pipe.execute()
        return [
            Worker.model_validate({**row, "id": one}) for one, row in zip(ids, rows, strict=True)
        ]

    def worker(self, worker_id: str) -> Worker | None:
        with self._db.errors() as client:
            if not client.sismember(keys.WORKERS, worker_id):
                return None
            row = client.hgetall(keys.worker(worker_id))
        return Worker.model_validate({**row, "id": worker_id})

    def pause(self, worker_id: str, note: str) -> None:
        """It finishes what it runs and takes nothing more. An empty note resumes it."""
        with self._db.errors() as client:
            client.hset(keys.worker(worker_id), "paused", note)

    def forget(self, worker_id: str) -> None:
        with self._db.errors() as client:
            client.srem(keys.WORKERS, worker_id)
            client.delete(keys.worker(worker_id))

    def beat(self, host: Host, now: datetime) -> None:
        """A host's sign of life."""
        row = host.model_dump(exclude={"seen_at"}) | {"seen_at": int(now.timestamp() * 1000)}
        with self._db.errors() as client:
            client.hset(keys.host(host.name), mapping=row)
            client.sadd(keys.HOSTS, host.name)

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

    def hosts(self) -> list[Host]:
        with self._db.errors() as client:
            names = sorted(client.smembers(keys.HOSTS))
            rows = [client.hgetall(keys.host(name)) for name in names]
        return [
            Host.model_validate({**row, "name": name})
            for name, row in zip(names, rows, strict=True)
        ]
