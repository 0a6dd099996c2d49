"""Pull requests and pushes, as a forge tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MergeMethod(StrEnum):
    """What becomes of its commits, the preferred way first."""

    SQUASH = "squash"  # one commit
    MERGE = "merge"  # they and a merge commit
    REBASE = "rebase"  # each anew on the base


@dataclass(frozen=True, slots=True)
class Pull:
    number: int
    url: str
    head: str  # sha
    open: bool
    draft: bool
    merged: bool
    branch: str = ""  # in this repository; empty: of a fork, or not asked for
    base: str = ""  # the branch that it goes into
    author: str = ""  # empty: not known any more
    ours: bool = False  # opened by the account that asks
    at: datetime | None = None  # when it was opened; None: not asked for


@dataclass(frozen=True, slots=True)
class Push:
    """One change of a branch. Forty zeros: it was not there. `by`: an account."""

    before: str
    after: str
    by: str
