"""What lies there: issues, their labels and comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cw.errors import GoneError
from cw.forges.issues import LabelEvent

ME = "us"
MADE = datetime(2026, 7, 1, tzinfo=UTC)


@dataclass
class Kept:
    """One issue."""

    title: str
    author: str
    labels: list[str] = field(default_factory=list)
    events: list[LabelEvent] = field(default_factory=list)
    comments: list[tuple[str, str]] = field(default_factory=list)  # mark and text
    open: bool = True


@dataclass
class Shelf:
    """All that there is. Repositories are those of its issues."""

    issues: dict[tuple[str, int], Kept] = field(default_factory=dict)
    writers: set[str] = field(default_factory=set)

    def id_of(self, repo: str) -> int:
        names = sorted({name for name, _ in self.issues})
        if repo not in names:
            raise GoneError(f"there is no {repo}")
        return 1 + names.index(repo)

    def issue(self, repo: str, number: int) -> Kept:
        if (repo, number) not in self.issues:
            raise GoneError(f"there is no issue {repo}#{number}")
        return self.issues[repo, number]

    def set_label(self, repo: str, number: int, name: str, *, on: bool) -> None:
        kept = self.issue(repo, number)
        if on is not (name in kept.labels):
            (kept.labels.append if on else kept.labels.remove)(name)
            kind = "labeled" if on else "unlabeled"
            kept.events.append(LabelEvent(kind=kind, label=name, actor=ME, at=MADE))
