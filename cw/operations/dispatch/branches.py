"""Whose branch a branch is: those of tasks are named after them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from cw.errors import CwError
from cw.models import TaskSpec

if TYPE_CHECKING:
    from cw.models import Task
    from cw.store.store import Store

_BRANCH = re.compile(
    r"issue-(?P<issue>[1-9][0-9]{0,9})(?:-[1-9][0-9]?)?|task-(?P<task>[0-9a-hjkmnp-tv-z]{26})"
)


def another_tasks(store: Store, spec: TaskSpec, branch: str, since: datetime) -> bool:
    """Whether another task of the repository has this branch, or had it after `since`: its own host
    looks at what is opened there. A broker that is away knows of none.
    """
    named = _BRANCH.fullmatch(branch)
    if named is None or branch == spec.branch:
        return False
    try:
        task = _task(store, spec, named)
    except CwError:
        return False
    if task is None or task.branch != branch or not task.spec.beside(spec):
        return False
    return task.ended_at is None or task.outcome is None or task.ended_at >= since


def _task(store: Store, spec: TaskSpec, named: re.Match[str]) -> Task | None:
    if named["task"]:
        return store.tasks.get(named["task"].upper())
    issue = int(named["issue"])
    key = (spec.key[0], issue)
    holder = store.tasks.claimed_by(*key) or store.tasks.claimed_by(spec.repo, issue)
    if holder:
        return store.tasks.get(holder)
    return store.tasks.finished([key], {key[0]: [spec.repo]}).get(key)
