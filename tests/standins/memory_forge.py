"""A forge without GitHub: issues, labels and comments of this process, as another package would
bring one. Who asks with the same URL sees the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from cw.errors import BadInputError, GoneError
from cw.forges.client import Client, Facts, PageCache, Places, Reader
from cw.forges.forge import Forge, Key, Tokens
from cw.forges.issue_text import text_sha256
from cw.forges.issues import Issue, LabelEvent, Listed, Thread
from cw.forges.pulls import Pull, Push
from cw.forges.repositories import Place, Repository
from cw.settings import Settings

ME = "us"
_MADE = datetime(2026, 7, 1, tzinfo=UTC)


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
            kept.events.append(LabelEvent(kind=kind, label=name, actor=ME, at=_MADE))


@dataclass
class MemoryReader:
    shelf: Shelf
    asked: int = 0
    unchanged: int = 0
    odd: list[str] = field(default_factory=list)

    @property
    def paid(self) -> int:
        return self.asked

    def open_issues(self, repo: str, repo_id: int = 0) -> list[Listed]:
        return self._listed(repo, repo_id, is_open=True)

    def closed_lately(self, repo: str, repo_id: int = 0) -> list[Listed]:
        return self._listed(repo, repo_id, is_open=False)

    def _listed(self, repo: str, repo_id: int, *, is_open: bool) -> list[Listed]:
        self.asked += 1
        return [
            Listed(
                repo=repo,
                repo_id=repo_id,
                number=number,
                title=kept.title,
                author=kept.author,
                association="MEMBER",
                labels=tuple(kept.labels),
                created_at=_MADE,
                updated_at=_MADE,
                is_pull=False,
                text_sha256=text_sha256(kept.title, ""),
            )
            for (name, number), kept in self.shelf.issues.items()
            if name == repo and kept.open is is_open
        ]

    def label_events(self, repo: str, number: int) -> list[LabelEvent]:
        return self.shelf.issue(repo, number).events

    def thread(self, repo: str, number: int) -> Thread:
        kept = self.shelf.issue(repo, number)
        return Thread(
            title=kept.title,
            body="",
            open=kept.open,
            author=kept.author,
            labels=tuple(kept.labels),
        )

    def is_open(self, repo: str, number: int) -> bool:
        return self.shelf.issue(repo, number).open

    def knows_issue(self, repo: str, number: int) -> bool:
        return (repo, number) in self.shelf.issues

    def pull_state(self, repo: str, number: int) -> str:
        raise GoneError(f"there is no pull request {repo}#{number}")

    def may_write(self, repo: str, login: str) -> bool:
        return login in self.shelf.writers

    def knows_rights(self, repo: str, login: str) -> bool:
        return True

    def own_login(self) -> str:
        return ME

    def repos_of(self, owner: str) -> list[str]:
        return sorted({name for name, _ in self.shelf.issues if name.startswith(f"{owner}/")})


@dataclass
class MemoryPlaces:
    shelf: Shelf

    def known(self, names: Collection[str]) -> dict[str, Place]:
        return {}

    def place(self, repo: str, repo_id: int = 0) -> Place:
        return Place(id=self.shelf.id_of(repo), name=repo)


@dataclass
class MemoryClient:
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

    def places(self, facts: Facts) -> Places:
        return MemoryPlaces(self.shelf)

    def reader(self, pages: PageCache) -> Reader:
        return MemoryReader(self.shelf)

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

    def last_push(self, repo: str, ref: str) -> tuple[str, str]:
        return "", ""

    def pushes(self, repo: str, ref: str, since: datetime) -> list[Push]:
        return []

    def written(self, repo: str, numbers: Sequence[int], since: datetime) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class MemoryForge:
    name: str = "memory"
    shelves: dict[str, Shelf] = field(default_factory=lambda: defaultdict(Shelf))

    def open(self, settings: Settings) -> Client:
        if not settings.github_token:
            raise BadInputError("no token", hint="Any will do")
        return self.client(settings, settings.github_token)

    def client(self, settings: Settings, key: Key) -> Client:
        return MemoryClient(self.shelves[settings.github_api_url])

    def tokens(self, settings: Settings) -> Tokens | None:
        return None

    def titles(self, settings: Settings, repo: str) -> dict[int, str]:
        found = self.shelves[settings.github_api_url].issues.items()
        return {number: kept.title for (name, number), kept in found if name == repo}


MEMORY: Forge = MemoryForge()
