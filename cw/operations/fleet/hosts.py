"""The machines of the fleet as people see them, and the record of one that is gone for good."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from cw.errors import BadInputError
from cw.fleet_models import SILENT_AFTER, Host, Trouble
from cw.models import PROTOCOL, Model, Task
from cw.states import State

if TYPE_CHECKING:
    from cw.store.store import Store

_CLOCK_OFF_MS = 10_000  # more would make the times in logs and GitHub's answers misleading


class HostRow(Model):
    host: str
    state: str  # up, silent, gone
    seen_at: datetime | None
    workers: int
    busy: int
    version: str
    claude: str
    isolation: str
    access: str
    warning: str
    protocol: int
    tags: list[str]
    load: float
    cores: int
    memory_mb: int
    disk_mb: int
    clock_ms: int
    troubles: list[Trouble]  # of the last hour, the newest first
    late: str  # GitHub writes and notices that wait, and why


class Forgotten(Model):
    """A host whose record was removed, and its workers with it."""

    host: str
    workers: list[str]


def host_row(host: Host, tasks: Iterable[Task], now: datetime) -> HostRow:
    state = "up" if host.up(now) else "silent" if host.seen_at else "gone"
    running = (task for task in tasks if task.state is State.RUNNING)
    return HostRow(
        host=host.name,
        state=state,
        seen_at=host.seen_at,
        workers=host.workers,
        busy=sum(task.host == host.name for task in running),
        version=host.version,
        claude=host.claude,
        isolation=host.isolation,
        access=host.access,
        warning=host.warning,
        protocol=host.protocol,
        tags=host.tags.split(),
        load=host.load,
        cores=host.cores,
        memory_mb=host.memory_mb,
        disk_mb=host.disk_mb,
        clock_ms=host.clock_ms,
        troubles=host.trouble_list(),
        late=host.late,
    )


def host_warnings(hosts: Iterable[Host], now: datetime) -> list[str]:
    """What somebody should look at, one line each."""
    found = []
    for host in hosts:
        if host.warning:
            found.append(f"host {host.name}: {host.warning}")
        if host.seen_at and not host.up(now):
            seconds = SILENT_AFTER.total_seconds()
            found.append(f"host {host.name} has been silent for more than {seconds:.0f} s")
        if host.late:
            found.append(f"host {host.name}: {host.late}")
        found += [f"host {host.name}: {trouble_words(row)}" for row in host.trouble_list()]
        if host.up(now):
            found += [f"host {host.name}: {words}" for words in _odd(host)]
        if host.rival_at and now - host.rival_at <= SILENT_AFTER:
            found.append(
                f"host {host.name}: another machine has this name as well and takes nothing; give"
                " it one of its own there: CW_HOST_NAME"
            )
    return found


def trouble_words(trouble: Trouble) -> str:
    about = f" of {trouble.about}" if trouble.about else ""
    times = "once" if trouble.times == 1 else f"{trouble.times} times"
    where = f"{trouble.place} in {trouble.loop}{about}"
    return f"unforeseen {trouble.error} at {where}, {times}; its log has more"


def _odd(host: Host) -> list[str]:
    found = []
    if host.protocol not in {0, PROTOCOL}:
        found.append(
            f"its cw ({host.version}) makes records of another kind ({host.protocol}, here"
            f" {PROTOCOL}); each leaves alone what it does not know; the older one needs: cw update"
        )
    if abs(host.clock_ms) > _CLOCK_OFF_MS:
        way = "ahead of" if host.clock_ms > 0 else "behind"
        found.append(f"its clock is {abs(host.clock_ms) / 1000:.0f} s {way} the broker's")
    return found


def forget_host(store: Store, name: str) -> Forgotten:
    """For a machine that does not come back. Its workers' ids can be given again.

    Raises BadInputError for an unknown host, one that is up, and one whose workers have work.
    """
    hosts = {host.name: host for host in store.fleet.hosts()}
    if name not in hosts:
        known = ", ".join(hosts) or "none"
        raise BadInputError(f"there is no host {name}", hint=f"Known: {known}")
    if hosts[name].up(store.tasks.now()):
        raise BadInputError(f"host {name} is up", hint="Stop it there first: cw down")
    workers = [worker for worker in store.fleet.workers() if worker.host == name]
    awaited = {task.line for task in store.tasks.open_tasks()}
    kept = [worker for worker in workers if worker.task or worker.id in awaited]
    if kept:
        who = ", ".join(worker.id for worker in kept)
        first = kept[0].id
        raise BadInputError(
            f"work of worker{'' if len(kept) == 1 else 's'} {who} lies there",
            hint=f"Give it up first: cw reset {first}; once its lease is over",
        )
    for worker in workers:
        store.fleet.forget(worker.id)
    store.fleet.forget_host(name)
    return Forgotten(host=name, workers=[worker.id for worker in workers])
