"""What is asked of it and done there. See `cw.forges.client`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cw.errors import GoneError
from cw.forges.issues import Issue, Thread
from cw.forges.pulls import MergeMethod, Pull, Push
from cw.forges.reading import Facts, Kept, PageCache, Places, Reader
from cw.forges.repairing import Failure, Reviewed
from cw.forges.repositories import Repository
from cw.forges.watched import Watch
from tests.standins.memory_forge.no_pulls import NoPulls
from tests.standins.memory_forge.reading import MemoryPlaces, MemoryReader, MemoryWatch
from tests.standins.memory_forge.shelf import Shelf


@dataclass
class MemoryClient(NoPulls):
    shelf: Shelf
    token_mark: str = "memory"
    is_app: bool = False

    def beside(self, token: str) -> Self:
        return self

    def check_token(self) -> None: ...

    def well(self) -> bool:
        return True

    def heard(self) -> tuple[int, int, int] | None:
        return None

    def name_of(self, repo: str, repo_id: int) -> str:
        return repo

    def repository(self, repo: str) -> Repository:
        return Repository(
            id=self.shelf.id_of(repo),
            name=repo,
            private=False,
            archived=False,
            disabled=False,
            issues=True,
            branch="main",
            push=True,
        )

    def missing(self, found: Repository) -> tuple[str, ...]:
        return ()

    def unread(self, found: Repository) -> tuple[str, ...]:
        return ()

    def places(self, facts: Facts) -> Places:
        return MemoryPlaces(self.shelf)

    def reader(self, pages: PageCache) -> Reader:
        return MemoryReader(self.shelf)

    def watch(self, kept: Kept) -> Watch:
        return MemoryWatch()

    def issue(self, repo: str, number: int) -> Issue:
        kept = self.shelf.issue(repo, number)
        where = f"https://memory.test/{repo}/{number}"
        labels = tuple(kept.labels)
        return Issue(number, kept.title, "", kept.author, where, kept.open, labels, is_pull=False)

    def thread(self, repo: str, number: int) -> Thread:
        return MemoryReader(self.shelf).thread(repo, number)

    def ensure_label(self, repo: str, name: str, description: str, colour: str = "") -> None: ...

    def add_label(self, repo: str, number: int, name: str) -> tuple[str, ...]:
        self.shelf.set_label(repo, number, name, on=True)
        return tuple(self.shelf.issue(repo, number).labels)

    def remove_label(self, repo: str, number: int, name: str) -> None:
        self.shelf.set_label(repo, number, name, on=False)

    def comment_once(self, repo: str, number: int, body: str, marks: Sequence[str]) -> None:
        comments = self.shelf.issue(repo, number).comments
        if not {mark for mark, _ in comments} & set(marks):
            comments.append((marks[0], body))

    def to_draft(self, repo: str, number: int) -> bool:
        return False

    def standing(self, repo: str, branch: str) -> tuple[str, tuple[Pull, ...]]:
        return "", ()

    def opened(self, repo: str, branch: str, since: datetime) -> tuple[list[Pull], list[Pull]]:
        return [], []

    def find_pull(self, repo: str, branch: str, base: str = "") -> Pull | None:
        return None

    def open_pull(
        self, repo: str, *, branch: str, base: str, title: str, body: str, draft: bool = False
    ) -> Pull:
        raise GoneError("there are no pull requests")

    def retarget(self, repo: str, number: int, base: str) -> None:
        raise GoneError("there are no pull requests")

    def merge_methods(self, repo: str) -> tuple[MergeMethod, ...]:
        return ()

    def changed_files(self, repo: str, number: int) -> frozenset[str]:
        raise GoneError("there are no pull requests")

    def merge(self, repo: str, number: int, *, head: str, method: MergeMethod) -> str:
        raise GoneError("there are no pull requests")

    def failures(
        self, repo: str, head: str, names: Collection[str], kept: Kept, *, logs: bool = True
    ) -> tuple[Failure, ...]:
        return ()

    def rerun(self, repo: str, rerunnables: Collection[str]) -> None:
        raise GoneError("there are no checks")

    def threads(self, repo: str, number: int) -> Reviewed:
        raise GoneError("there are no pull requests")

    def reply(self, repo: str, number: int, thread_id: str, body: str, mark: str) -> None:
        raise GoneError("there are no pull requests")

    def resolve(self, repo: str, thread_id: str) -> None:
        raise GoneError("there are no pull requests")

    def mark_ready(self, repo: str, number: int) -> None:
        raise GoneError("there are no pull requests")

    def last_push(self, repo: str, ref: str) -> tuple[str, str]:
        return "", ""

    def pushes(self, repo: str, ref: str, since: datetime) -> list[Push]:
        return []

    def written(self, repo: str, numbers: Sequence[int], since: datetime) -> tuple[str, ...]:
        return ()
