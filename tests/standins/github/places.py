"""Users, tokens and repositories put in past every check, as if they had always been there."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from . import gitrepo
from .access import LEVELS
from .model import DEFAULT_LABELS, App, Issue, Label, Repo, Token
from .state import State

APP_GRANTS = {"contents": "write", "issues": "write", "pull_requests": "write"}


class Places:
    def __init__(self, state: State) -> None:
        self.state = state

    def add_user(
        self,
        login: str,
        token: str | None = None,
        permissions: Mapping[str, str] | None = None,
        *,
        kind: str | None = None,
    ) -> None:
        """Permissions: full name of a repository → none, read, triage, write, maintain, admin."""
        with self.state.lock:
            self.state.user(login, kind)
            if token is not None:
                self.state.tokens[token] = Token(value=token, login=login)
            for repo, level in (permissions or {}).items():
                self._permit(self.state.repo(repo), login, level)

    def add_token(
        self,
        login: str,
        token: str,
        *,
        repos: Iterable[str] | None = None,
        grants: Mapping[str, str] | None = None,
        scopes: Iterable[str] = ("repo", "read:org", "gist"),
        expires_at: datetime | None = None,
    ) -> None:
        """One more token, narrower than its user if asked: by grants as fine-grained ones are, by
        scopes as classic ones. "Permissions required for fine-grained personal access tokens" has
        no checks: only an App's may read them.
        """
        if "checks" in (grants or {}):
            raise ValueError("there is no permission checks for fine-grained tokens")
        with self.state.lock:
            self.state.user(login)
            self.state.tokens[token] = Token(
                value=token,
                login=login,
                repos=None if repos is None else frozenset(repo.lower() for repo in repos),
                grants=None if grants is None else dict(grants),
                scopes=tuple(scopes),
                expires_at=expires_at,
            )

    def revoke_token(self, token: str) -> None:
        with self.state.lock:
            self.state.tokens.pop(token, None)

    def set_permission(self, repo: str, login: str, level: str) -> None:
        with self.state.lock:
            self._permit(self.state.repo(repo), login, level)

    def _permit(self, repo: Repo, login: str, level: str) -> None:
        if level not in LEVELS:
            raise ValueError(f"{level!r} is none of {LEVELS}")
        self.state.user(login)
        repo.permissions[login.lower()] = level

    def add_app(
        self,
        app_id: int,
        slug: str,
        installation: int,
        permissions: Mapping[str, str],
        *,
        public_key: str,
        granted: Mapping[str, str] = APP_GRANTS,
        token_life: timedelta = timedelta(hours=1),
    ) -> None:
        """An App acts as "slug[bot]", on the repositories it is installed on: those named.
        `granted`: what its installation may, and none of its tokens more.
        """
        self.add_user(f"{slug}[bot]", permissions=permissions)
        with self.state.lock:
            self.state.apps[app_id] = App(
                id=app_id,
                login=f"{slug}[bot]",
                installation=installation,
                public_key=public_key,
                granted=dict(granted),
                token_life=token_life,
            )

    def add_repo(
        self,
        full_name: str,
        *,
        private: bool = False,
        files: Mapping[str, str] | None = None,
        seed: Path | None = None,
        fork_of: str | None = None,
        archived: bool = False,
        empty: bool = False,
    ) -> Path:
        """A bare repository: with one commit of the files, or a copy of `seed`, or of a fork."""
        with self.state.lock:
            source = self.state.repo(fork_of).path if fork_of else seed
            path = self.state.root / f"{full_name}.git"
            if path.exists():  # what has this name on the disk is called otherwise now
                path = self.state.root / f"{full_name}-{self.state.new_id()}.git"
            if source:
                gitrepo.copy(path, source)
            else:
                gitrepo.create(
                    path, {} if empty else dict(files or {"README.md": f"# {full_name}\n"})
                )
            owner, _, name = full_name.partition("/")
            now = self.state.now()
            repo = Repo(
                id=self.state.new_id(),
                owner=owner,
                name=name,
                path=path,
                private=private,
                created_at=now,
                pushed_at=now,
                default_branch=gitrepo.default_branch(path),
                archived=archived,
                parent=fork_of,
                known_heads=gitrepo.heads(path),
            )
            self.state.add_repo(repo)
            for label, (color, description) in DEFAULT_LABELS.items():
                self.ensure_label(repo, label, color, description)
            return path

    def set_archived(self, repo: str, *, archived: bool = True) -> None:
        with self.state.lock:
            self.state.repo(repo).archived = archived

    def set_issues(self, repo: str, *, on: bool) -> None:
        """As a person does in the repository's settings."""
        with self.state.lock:
            self.state.repo(repo).has_issues = on

    def rename_repo(self, old: str, new: str) -> None:
        """Renamed, or transferred when the owner is another one. Its bare repository stays."""
        with self.state.lock:
            repo = self.state.repos.pop(old.lower())
            owner, _, name = new.partition("/")
            if owner.lower() != repo.owner.lower():
                repo.permissions.pop(repo.owner.lower(), None)
            for other in (repo, *self.state.repos.values()):
                for issue in other.issues.values():
                    if issue.pull and issue.pull.head_repo == repo.full_name:
                        issue.pull.head_repo = new
            for value, token in list(self.state.tokens.items()):
                if token.repos and old.lower() in token.repos:
                    names = (token.repos - {old.lower()}) | {new.lower()}
                    self.state.tokens[value] = replace(token, repos=frozenset(names))
            repo.owner, repo.name = owner, name
            self.state.add_repo(repo)
            if old.lower() != new.lower():
                self.state.moved[old.lower()] = repo

    def transfer_issue(self, repo: str, number: int, to: str) -> int:
        """Its number there. Labels that are not there as well are lost, as on GitHub."""
        with self.state.lock:
            here, there = self.state.repo(repo), self.state.repo(to)
            issue = here.issues.pop(number)
            issue.number = max(there.issues, default=0) + 1
            issue.labels = [there.labels[one] for one in self._kept(issue, there)]
            there.issues[issue.number] = issue
            self.state.nodes[f"I_{issue.id}"] = (there, issue)
            self.state.transferred[here.id, number] = (there, issue.number)
            return issue.number

    @staticmethod
    def _kept(issue: Issue, repo: Repo) -> list[str]:
        return [one.name.lower() for one in issue.labels if one.name.lower() in repo.labels]

    def add_label(self, repo: str, name: str, color: str = "ededed", description: str = "") -> None:
        with self.state.lock:
            self.ensure_label(self.state.repo(repo), name, color, description)

    def ensure_label(self, repo: Repo, name: str, color: str, description: str) -> Label:
        known = repo.labels.get(name.lower())
        if known:
            return known
        label = Label(
            id=self.state.new_id(), name=name, color=color, description=description or None
        )
        return self.state.add_label(repo, label)
