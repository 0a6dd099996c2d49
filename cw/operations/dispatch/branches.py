"""Whose branch a branch is: those of tasks are named after them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cw.errors import CwError
from cw.models import TaskSpec
from cw.names import owner_of_branch

if TYPE_CHECKING:
    from cw.models import Task
    from cw.store.store import Store


def another_tasks(store: Store, spec: TaskSpec, branch: str, since: datetime) -> bool:
    """Whether another task of the repository has this branch, or had it after `since`: its own host
    looks at what is opened there. A broker that is away knows of none.
    """
    owner = owner_of_branch(branch)
    if owner is None or branch == spec.branch:
        return False
    try:
        task = _task(store, spec, owner)
    except CwError:
        return False
    if task is None or task.branch != branch or not task.spec.beside(spec):
        return False
    return task.ended_at is None or task.outcome is None or task.ended_at >= since


def _task(store: Store, spec: TaskSpec, owner: int | str) -> Task | None:
    if isinstance(owner, str):
        return store.tasks.get(owner)
    key = (spec.key[0], owner)
    holder = store.tasks.claimed_by(*key) or store.tasks.claimed_by(spec.repo, owner)
    if holder:
        return store.tasks.get(holder)
    return store.tasks.finished([key], {key[0]: [spec.repo]}).get(key)
