"""`cw dispatch -t TAG`: which worker of the machines with that tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cw.errors import BadInputError
from cw.models import Task, Worker
from cw.store.store import Store


def worker_with(store: Store, tag: str) -> str:
    """Chosen now, and the task is its own from then on. Raises BadInputError when there is none."""
    hosts, now = store.fleet.hosts(), store.tasks.now()
    tagged = {one.name for one in hosts if tag in one.tags.split()}
    up = {one.name for one in hosts if one.up(now) and not one.unfit}
    found = choose(store.fleet.workers(), tagged, up, store.tasks.open_tasks())
    if found is None:
        known = sorted({word for one in hosts for word in one.tags.split()})
        raise BadInputError(
            f"no worker lives on a host with the tag {tag}",
            hint=f"Tags of the fleet: {', '.join(known) or 'none'}; CW_HOST_TAGS gives them",
        )
    return found


def other_with(store: Store, tag: str) -> str | None:
    """For a task whose worker's host is lost: a worker that can begin it; None: nobody now."""
    hosts, now = store.fleet.hosts(), store.tasks.now()
    up = {one.name for one in hosts if tag in one.tags.split() and one.up(now) and not one.unfit}
    return choose(store.fleet.workers(), up, up, store.tasks.open_tasks())


def choose(
    workers: Iterable[Worker], tagged: set[str], up: set[str], tasks: Iterable[Task]
) -> str | None:
    """Pure. Who could begin first: on a host that is up, not paused, with the least before it."""
    load = Counter(task.line for task in tasks)
    able = [one for one in workers if one.host in tagged]
    first = min(
        able,
        key=lambda one: (one.host not in up, bool(one.paused), load[one.id], one.id),
        default=None,
    )
    return first.id if first else None
