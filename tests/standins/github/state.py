"""All memory of the stand-in behind one lock."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from .model import App, Comment, Event, Indexed, Issue, Label, Repo, Token, User
from .wire import not_found

if TYPE_CHECKING:
    from .ci import Rule


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class State:
    """Hold `lock` around every use; ids count up from 1001 in the order things are made."""

    def __init__(self, root: Path, web_url: str, clock: Callable[[], datetime] = utc_now) -> None:
        self.lock = threading.RLock()
        self.root = root
        self.web_url = web_url
        self.now = clock
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[int, App] = {}
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, Repo] = {}  # by each name it had, until another one takes that
        self.transferred: dict[tuple[int, int], tuple[Repo, int]] = {}  # an issue's old place
        self.nodes: dict[str, object] = {}
        self.logs_url = ""  # where logs of jobs lie
        self.ci: Rule | None = None  # which jobs a push begins
        self.search_lag = timedelta(0)
        self.max_query = 256  # characters
        self._ids = count(1001)

    def new_id(self) -> int:
        return next(self._ids)

    def user(self, login: str, kind: str | None = None) -> User:
        """The user, made on first mention."""
        found = self.users.get(login.lower())
        if found is None:
            kind = kind or ("Bot" if login.endswith("[bot]") else "User")
            found = User(id=self.new_id(), login=login, kind=kind)
            self.users[login.lower()] = found
            self.nodes[f"U_{found.id}"] = found
        return found

    def repo(self, full_name: str) -> Repo:
        try:
            return self.repos[full_name.lower()]
        except KeyError:
            raise not_found() from None

    def moved_repo(self, full_name: str) -> Repo | None:
        """What had this name, if nothing has it now."""
        return None if full_name.lower() in self.repos else self.moved.get(full_name.lower())

    def repo_by_id(self, repo_id: int) -> Repo:
        found = self.nodes.get(f"R_{repo_id}")
        if not isinstance(found, Repo):
            raise not_found()
        return found

    def issue(self, repo: Repo, number: int) -> Issue:
        try:
            return repo.issues[number]
        except KeyError:
            raise not_found() from None

    def add_repo(self, repo: Repo) -> None:
        self.user(repo.owner)
        self.moved.pop(repo.full_name.lower(), None)  # "GitHub no longer redirects" then
        repo.permissions.setdefault(repo.owner.lower(), "admin")
        self.repos[repo.full_name.lower()] = repo
        self.nodes[f"R_{repo.id}"] = repo

    def add_issue(self, repo: Repo, issue: Issue) -> None:
        self.user(issue.author)
        repo.issues[issue.number] = issue
        self.nodes[f"{'PR' if issue.pull else 'I'}_{issue.id}"] = (repo, issue)
        self.touch(issue)

    def add_label(self, repo: Repo, label: Label) -> Label:
        repo.labels[label.name.lower()] = label
        self.nodes[f"LA_{label.id}"] = label
        return label

    def add_comment(self, repo: Repo, issue: Issue, comment: Comment) -> None:
        self.user(comment.author)
        issue.comments.append(comment)
        self.nodes[f"IC_{comment.id}"] = (repo, issue, comment)
        self.touch(issue)

    def add_event(
        self,
        issue: Issue,
        kind: str,
        actor: str,
        *,
        label: Label | None = None,
        assignee: str | None = None,
        commit: str | None = None,
    ) -> None:
        event = Event(
            id=self.new_id(),
            kind=kind,
            actor=actor,
            at=self.now(),
            label=label,
            assignee=assignee,
            commit=commit,
        )
        issue.events.append(event)
        self.touch(issue)

    def touch(self, issue: Issue) -> None:
        """To be called after each change: moves updated_at and tells the search index."""
        issue.updated_at = self.now()
        issue.indexed.append(
            Indexed(
                at=issue.updated_at,
                state="merged" if issue.pull and issue.pull.merged_at else issue.state,
                title=issue.title,
                body=issue.body or "",
                labels=frozenset(label.name.lower() for label in issue.labels),
                assignees=frozenset(login.lower() for login in issue.assignees),
            )
        )
