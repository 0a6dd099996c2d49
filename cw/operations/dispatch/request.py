"""What somebody wants done: a dispatch as it was typed or decided, before anything is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cw.budgets.ceilings import NONE, Amount
from cw.forges.trusted_authors import Approval
from cw.names import repo_key
from cw.repos import Repo
from cw.states import Mode


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What was typed, already parsed."""

    repo: Repo
    issue: int | None
    worker: str | None
    tag: str = ""  # that chose the worker
    prompt: str
    model: str
    mode: Mode = Mode.FREE
    by: str = ""
    approval: Approval | None = None  # None: whoever types this stands for the issue as it is now
    apart: tuple[Path, ...] = ()  # no agent is shown them as a part of a repository on this machine
    notify: bool = False  # its end is told, whichever it is
    goes_on: bool = False  # with a branch that is named like the task's, whosever it is
    ceiling: Amount = NONE  # what its runs may take together; 0: labels say it, else the host
    labels_up_to: Amount = NONE  # who may label may not give more than this; 0: no limit
    adopt: bool = False  # its worker's label is there already, left by a dispatch that was lost
    repo_id: int = 0  # GitHub's, once it was asked

    @property
    def key(self) -> tuple[str, int]:
        return repo_key(self.repo.name, self.repo_id), self.issue or 0
