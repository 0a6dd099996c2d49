"""What people type for a task or a worker, and which one it means.

A worker's id; a task's id or the beginning of one that no other task has (git's way); an issue as
`owner/repo#7`, or `#7` where one repository has it; the URL of an issue or pull request.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cw.errors import BadInputError
from cw.names import TASK_PATTERN, created_at, is_worker_id, worker_id

if TYPE_CHECKING:
    from cw.models import Task
    from cw.store.store import Store

SHORT = 8  # characters of a task's id that are printed, if they are enough
_LEAST = 4  # characters that may be typed
_TASK = re.compile(TASK_PATTERN)
_WHOLE = re.compile(r"\b0[0-9A-HJKMNP-TV-Z]{25}\b")  # until the year 3084
_PREFIX = re.compile(rf"[0-9A-HJKMNP-TV-Z]{{{_LEAST},25}}")
_ISSUE = re.compile(
    r"(?P<repo>[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})?#(?P<number>[1-9]\d{0,9})"
)
_URL_PATH = re.compile(
    r"/(?P<repo>[^/]+/[^/]+)/(?P<kind>issues|pull)/(?P<number>[1-9]\d{0,9})(?:/.*)?"
)
_NAMED = 5  # candidates that an error names


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an id names. Of `worker` and `prefix` both may be set: which of them is meant only the
    records know. `task` is a whole id.
    """

    worker: str | None = None
    task: str | None = None
    prefix: str = ""
    repo: str = ""  # owner/repo; empty beside a number: of any repository
    number: int = 0
    pull: bool = False  # the number is a pull request's for certain

    def __str__(self) -> str:
        """As it may be typed."""
        number = f"{self.repo}#{self.number}" if self.number else ""
        return self.task or self.worker or self.prefix or number

    @property
    def settled(self) -> bool:
        return not (self.prefix or self.number)


def read_target(text: str) -> Target:
    """As typed. Raises BadInputError."""
    upper = text.upper()
    if _TASK.fullmatch(upper):
        return Target(task=upper)
    if "://" in text:
        return _read_url(text)
    if issue := _ISSUE.fullmatch(text):
        return Target(repo=issue["repo"] or "", number=int(issue["number"]))
    prefix = upper if _PREFIX.fullmatch(upper) else ""
    if is_worker_id(text):
        return Target(worker=text, prefix=prefix)
    return Target(prefix=prefix) if prefix else Target(worker=worker_id(text))


def _read_url(text: str) -> Target:
    try:
        found = _URL_PATH.fullmatch(urlsplit(text).path)
    except ValueError:  # half an IPv6 address
        found = None
    if not found:
        raise BadInputError(
            f"{text!r} is no issue or pull request",
            hint="Use for example https://github.com/acme/app/issues/7",
        )
    pull = found["kind"] == "pull"
    return Target(repo=found["repo"], number=int(found["number"]), pull=pull)


def resolve(store: Store, target: Target) -> Target:
    """The same with nothing but a worker or a whole task id. Asks the records only where it must.

    Raises BadInputError when nothing is meant, or several things are.
    """
    if target.settled:
        return target
    if target.number:
        return Target(task=_of_number(store, target))
    if target.worker and store.fleet.worker(target.worker):
        return Target(worker=target.worker)
    found = store.tasks.beginning_with(target.prefix)
    if not found and target.worker:
        return Target(worker=target.worker)  # whoever needs it says that there is none
    return Target(task=_only(found, f"no task's id begins with {target.prefix}", target.prefix))


def _of_number(store: Store, target: Target) -> str:
    """The task that has the issue, or had it last; else whose pull request has this number."""
    what = f"{target.repo}#{target.number}"
    known = [] if target.pull else store.tasks.of_issue(target.number, target.repo)
    found = (
        known
        or [
            task.spec.id
            for task in store.tasks.all_tasks()
            if _opened(task, target.repo, target.number)
        ][:1]
    )
    return _only(found, f"no task here has {what}", what)


def _opened(task: Task, repo: str, number: int) -> bool:
    """Whether its pull request has this number."""
    same = not repo or task.spec.repo.lower() == repo.lower()
    return same and task.pull.rpartition("/pull/")[2] == str(number)


def _only(found: Collection[str], none: str, typed: str) -> str:
    if not found:
        raise BadInputError(none, hint="See: cw status, or cw history")
    if len(found) > 1:
        more = "" if len(found) <= _NAMED else f" and {len(found) - _NAMED} more"
        raise BadInputError(
            f"{typed} may be {', '.join(sorted(found)[:_NAMED])}{more}",
            hint="Type more of it"
            if "#" not in typed
            else "Say which: owner/repo#N, or a task's id",
        )
    return next(iter(found))


def short_ids(store: Store, tasks: Collection[str]) -> dict[str, str]:
    """Each id with so much of it as has to be typed."""
    if not tasks:
        return {}
    known = store.tasks.neighbours(created_at(min(tasks)))
    return {task: shortest(task, known) for task in tasks}


def short_id(store: Store, task: str) -> str:
    return short_ids(store, [task])[task]


def shorten(store: Store, text: str) -> str:
    """The same, each whole id of a task in it as short as it may be typed."""
    short = short_ids(store, set(_WHOLE.findall(text)))
    return _WHOLE.sub(lambda found: short[found[0]], text)


def shortest(task: str, others: Iterable[str]) -> str:
    """So much of an id that no other one begins with it: 8 characters, or as many as needed."""
    shared = max((_shared(task, other) for other in others if other != task), default=0)
    return task[: max(SHORT, shared + 1)]


def _shared(an_id: str, other: str) -> int:
    """How many characters two ids have in common at their beginning."""
    return next(
        (at for at, (a, b) in enumerate(zip(an_id, other, strict=False)) if a != b), len(an_id)
    )
