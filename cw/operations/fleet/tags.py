"""`cw dispatch -t TAG`: which worker of the machines with that tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cw.errors import BadInputError
from cw.fleet_models import Worker
from cw.models import Task
from cw.store.store import Store


def worker_with(store: Store, tag: str) -> str:
    """Chosen now, and the task is its own from then on. Raises BadInputError when there is none."""
    hosts, now = store.fleet.hosts(), store.tasks.now()
    tagged = {host.name for host in hosts if tag in host.tags.split()}
    up = {host.name for host in hosts if host.up(now) and not host.unfit}
    found = choose(store.fleet.workers(), tagged, up, store.tasks.open_tasks())
    if found is None:
        known = sorted({word for host in hosts for word in host.tags.split()})
        raise BadInputError(
            f"no worker lives on a host with the tag {tag}",
            hint=f"Tags of the fleet: {', '.join(known) or 'none'}; CW_HOST_TAGS gives them",
        )
    return found


def other_with(store: Store, tag: str) -> str | None:
    """For a task whose worker's host is lost: a worker that can begin it; None: nobody now."""
    hosts, now = store.fleet.hosts(), store.tasks.now()
    up = {
        host.name for host in hosts if tag in host.tags.split() and host.up(now) and not host.unfit
    }
    return choose(store.fleet.workers(), up, up, store.tasks.open_tasks())


def choose(
    workers: Iterable[Worker], tagged: set[str], up: set[str], tasks: Iterable[Task]
) -> str | None:
    """Pure. Who could begin first: on a host that is up, not paused, with the least before it."""
    load = Counter(task.line for task in tasks)
    able = [worker for worker in workers if worker.host in tagged]
    first = min(
        able,
        key=lambda worker: (worker.host not in up, bool(worker.paused), load[worker.id], worker.id),
        default=None,
    )
    return first.id if first else None
