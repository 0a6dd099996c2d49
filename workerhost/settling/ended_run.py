"""A run whose agent has ended, as it comes to be judged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cw.homes.journal import Run
from cw.models import Start, TaskSpec
from cw.redaction.redact import Redactor
from workerhost.programs.progress import Progress
from workerhost.settling.verdict import Verdict

if TYPE_CHECKING:
    from cw.forges.client import Settling

Theirs = Callable[[str, datetime], bool]  # whether another task has this branch, or had it since


def nobodys(_branch: str, _since: datetime) -> bool:
    return False


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedRun:
    """What is known of it before git and GitHub are asked. `process`: what the exit record and the
    result line said. `defer`: how long what does not answer is left alone. `start`: where the
    task's first run began; `ours`: heads that earlier attempts left.
    """

    task: TaskSpec
    run: Run
    github: Settling | None
    process: Verdict
    progress: Progress
    now: datetime
    defer: timedelta
    redact: Redactor
    start: Start | None = None
    theirs: Theirs = nobodys
    ours: Collection[str] = ()

    @property
    def since(self) -> datetime:
        """When it began, or its task where an earlier run may have ended without a look."""
        began = self.run.started_at
        return began if self.run.attempt == 1 else min(self.task.created_at, began)
