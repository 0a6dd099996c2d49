"""Users, tokens and repositories put in past every check, as if they had always been there."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from . import gitrepo
from .access import LEVELS
from .model import DEFAULT_LABELS, App, Label, Repo, Token
from .state import State


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
        expires_at: datetime | None = None,
    ) -> None:
        """One more token, narrower than its user if asked: as fine-grained ones are."""
        with self.state.lock:
            self.state.user(login)
            self.state.tokens[token] = Token(
                value=token,
                login=login,
                repos=None if repos is None else frozenset(repo.lower() for repo in repos),
                grants=None if grants is None else dict(grants),
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
        token_life: timedelta = timedelta(hours=1),
    ) -> None:
        """An App acts as "slug[bot]", on the repositories it is installed on: those named."""
        self.add_user(f"{slug}[bot]", permissions=permissions)
        with self.state.lock:
            self.state.apps[app_id] = App(
                id=app_id,
                login=f"{slug}[bot]",
                installation=installation,
                public_key=public_key,
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
    ) -> Path:
        """A bare repository: with one commit of the files, or a copy of `seed`, or of a fork."""
        with self.state.lock:
            source = self.state.repo(fork_of).path if fork_of else seed
            path = self.state.root / f"{full_name}.git"
            if source:
                gitrepo.copy(path, source)
            else:
                gitrepo.create(path, dict(files or {"README.md": f"# {full_name}\n"}))
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
