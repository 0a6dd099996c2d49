"""Which red checks are run again instead of being mended: those that had not come to what the pull
request changes. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from cw.forges.repairing import Failure

_EARLY = timedelta(seconds=60)
_NOT_BEGUN = "startup_failure"
_OF_NO_FILE = ".github"  # where GitHub Actions puts what is of a job as a whole


def mark(name: str, head: str) -> str:
    """By which it is known that a check of this head was run again."""
    return f"{name}@{head[:12]}"


def worth_another_run(
    failures: Iterable[Failure], paths: Collection[str], head: str, rerun: Collection[str]
) -> tuple[Failure, ...]:
    """All of them, or none: one that is to be mended is not made better by runs of others. `paths`:
    all files that the pull request changes. `rerun`: marks of those that were.
    """
    found = tuple(failures)
    each = (
        one.rerunnable and mark(one.name, head) not in rerun and _early(one) and _beside(one, paths)
        for one in found
    )
    return found if found and all(each) else ()


def _early(failure: Failure) -> bool:
    if failure.conclusion == _NOT_BEGUN:
        return True
    began, ended = failure.started_at, failure.completed_at
    return began is not None and ended is not None and ended - began <= _EARLY


def _beside(failure: Failure, paths: Collection[str]) -> bool:
    places = {note.path for note in failure.notes} - {_OF_NO_FILE}
    if not places or failure.more_notes:
        return failure.conclusion == _NOT_BEGUN
    return places.isdisjoint(paths)
