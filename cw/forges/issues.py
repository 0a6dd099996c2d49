"""Issues, as a forge tells them: one, one in a list, and one with all that was said in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cw.forges.issue_text import text_sha256
from cw.models import Model, Moment
from cw.names import repo_key


@dataclass(frozen=True, slots=True)
class Issue:
    number: int
    title: str
    body: str
    author: str
    url: str
    open: bool
    labels: tuple[str, ...]
    is_pull: bool
    created_at: datetime | None = None

    @property
    def text_sha256(self) -> str:
        return text_sha256(self.title, self.body)


class Listed(Model):
    """An issue or pull request as a list shows it."""

    repo: str
    repo_id: int = 0
    number: int
    title: str
    author: str
    association: str  # OWNER, MEMBER, COLLABORATOR, CONTRIBUTOR, NONE, …
    labels: tuple[str, ...]
    created_at: Moment
    updated_at: Moment
    is_pull: bool
    needs: tuple[str, ...] = ()  # `owner/repo#n` that its text names as open dependencies
    blocked_by: int = 0  # open dependencies that GitHub knows
    text_sha256: str = ""  # of title and text

    @property
    def key(self) -> tuple[str, int]:
        return repo_key(self.repo, self.repo_id), self.number

    @property
    def name(self) -> str:
        return f"{self.repo}#{self.number}"


class LabelEvent(Model):
    kind: str  # labeled, unlabeled, renamed
    label: str
    actor: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Comment:
    author: str
    association: str
    body: str
    at: datetime
    editor: str = ""  # who changed it last; empty: nobody did
    minimized: bool = False  # folded away on the page, as spam or as outdated


@dataclass(frozen=True, slots=True)
class Labelled:
    label: str
    actor: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """Logins are `""` for accounts that are gone, and end in `[bot]` for bots."""

    title: str
    body: str
    open: bool
    author: str
    labels: tuple[str, ...] = ()
    body_editor: str = ""  # who changed the text last; empty: nobody did
    body_edited_at: datetime | None = None
    title_editor: str = ""
    title_edited_at: datetime | None = None
    labelled: tuple[Labelled, ...] = ()  # oldest first
    comments: tuple[Comment, ...] = ()  # the newest hundred, oldest first
    older_comments: int = 0  # how many more there are

    @property
    def text_sha256(self) -> str:
        return text_sha256(self.title, self.body)
