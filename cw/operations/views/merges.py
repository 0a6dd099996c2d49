"""Which pull requests were merged: asked of the forge, at most so many, and what did not change
since anybody asked is free.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cw.errors import BadTokenError, GitHubRefusedError, GitHubUnavailableError
from cw.operations.views.stats import TaskSum

if TYPE_CHECKING:
    from cw.forges.client import Names
    from cw.forges.reading import Reader

MOST = 200  # pull requests that are asked for at once


@dataclass(frozen=True, slots=True)
class Merges:
    """`states`: open, merged or closed, by URL. `why`: not all are known; empty when they are."""

    states: dict[str, str]
    why: str = ""


def merges(tasks: Iterable[TaskSum], names: Names, reader: Reader, most: int = MOST) -> Merges:
    """The newest first. Raises BrokerUnavailableError, as answers are kept there."""
    found: dict[str, str] = {}
    why = ""
    delivered = [task for task in _newest(tasks) if task.pull]
    for asked, task in enumerate({task.pull: task for task in delivered}.values()):
        if asked == most:
            return Merges(found, why or f"only the newest {most} were asked for")
        try:
            found[task.pull] = _state(task, names, reader)
        except (GitHubUnavailableError, BadTokenError) as error:
            return Merges(found, error.line())
        except GitHubRefusedError as error:
            why = why or error.message
    return Merges(found, why)


def _newest(tasks: Iterable[TaskSum]) -> list[TaskSum]:
    return sorted(tasks, key=lambda task: task.last.ended_at, reverse=True)


def _state(task: TaskSum, names: Names, reader: Reader) -> str:
    """By the repository's id where it is known: its name may be another's by now."""
    row = task.last
    digits = task.pull.rpartition("/")[2]
    if not digits.isdigit():
        raise GitHubRefusedError(f"{task.pull} names no pull request")
    repo = names.name_of(row.repo, row.repo_id) if row.repo_id else row.repo
    return reader.pull_state(repo, int(digits))
