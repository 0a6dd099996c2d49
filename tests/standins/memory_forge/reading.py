"""What of it is read again and again. See `cw.forges.reading`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cw.errors import GoneError
from cw.forges.issue_text import text_sha256
from cw.forges.issues import LabelEvent, Listed, Thread
from cw.forges.repositories import Place
from cw.forges.watched import Glance, Look, PullName
from tests.standins.memory_forge.shelf import MADE, ME, Shelf


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
                created_at=MADE,
                updated_at=MADE,
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


class MemoryWatch:
    """There are no pull requests."""

    asked = 0
    odd: Mapping[PullName, str] = MappingProxyType({})

    def glances(self, wanted: Collection[PullName]) -> Mapping[PullName, Glance]:
        return {}

    def looks(self, wanted: Collection[PullName]) -> Mapping[PullName, Look]:
        return {}
