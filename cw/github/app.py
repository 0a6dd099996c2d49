"""A GitHub App: short-lived tokens, each for one repository, instead of a person's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from github import Auth, GithubException, GithubIntegration

from cw.errors import BadInputError, GitHubRefusedError
from cw.github.errors import github_errors, odd_answer, raise_for
from cw.github.retry import hush
from cw.github.transport import Transport
from cw.names import same_repo
from cw.private import refuse_open
from cw.settings import Settings

_TIMEOUT_SECONDS = 15
_INVALID = 422
_MARGIN = timedelta(minutes=15)  # of the hour that GitHub gives a token
_WANTED = {"contents": "write", "issues": "write", "pull_requests": "write"}
# Asked for if the App has them: what is said of checks, and the logs of jobs. No more than reading
# for what agents are given: who may write to Actions starts any workflow.
_READ = ("actions", "checks", "statuses")


@dataclass(frozen=True, slots=True)
class _Lent:
    token: str
    until: datetime


class AppTokens:
    """One installation token a repository, renewed in time. Thread-safe."""

    def __init__(
        self, app_id: str, key: str, api_url: str, now: Callable[[], datetime] | None = None
    ) -> None:
        hush()
        self.app_id = app_id
        self._api_url = api_url
        self._now = now or (lambda: datetime.now(UTC))
        self._lock = threading.Lock()
        self._lent: dict[str, _Lent] = {}
        self._integration = GithubIntegration(
            auth=Auth.AppAuth(app_id, key), base_url=api_url, timeout=_TIMEOUT_SECONDS
        )

    def token(self, repo: str) -> str:
        """For this repository alone; good for a quarter of an hour at least.

        Raises GitHubRefusedError (no such App, not installed there, too few permissions) and
        GitHubUnavailableError.
        """
        with self._lock:
            lent = self._lent.get(repo.lower())
            if lent is None or lent.until - self._now() < _MARGIN:
                lent = self._lent[repo.lower()] = self._new(repo, {})
            return lent.token

    def token_with(self, repo: str, right: str) -> str:
        """One that may write to this as well, for no agent. Raises the same, and what the App was
        not given is refused.
        """
        return self._new(repo, {right: "write"}).token

    def login(self) -> str:
        """Whose name GitHub puts under what the App does."""
        with _app_errors(f"App {self.app_id}"):
            return f"{self._integration.get_app().slug}[bot]"

    def _new(self, repo: str, more: Mapping[str, str]) -> _Lent:
        owner, _, name = repo.partition("/")
        with _app_errors(f"installation of App {self.app_id} on {repo}"):
            found = self._integration.requester.requestJsonAndCheck(
                "GET", f"/repos/{owner}/{name}/installation"
            )[1]
            given = found.get("permissions") or {}
            if not more.items() <= given.items():
                raise self._too_little(repo, more)
            reads = {right: "read" for right in _READ if right in given}
            wanted = {**reads, **_WANTED, **more}
            try:
                found = self._ask(found["id"], {"repositories": [name], "permissions": wanted})
            except GithubException as error:
                if error.status != _INVALID:
                    raise
                found = self._under_its_new_name(found["id"], repo, wanted)
        held = found.get("permissions") or {}
        lacks = {right: level for right, level in _WANTED.items() if held.get(right) != level}
        if lacks:
            raise self._too_little(repo, lacks)
        return _Lent(found["token"], datetime.fromisoformat(found["expires_at"]))

    def _under_its_new_name(
        self, installation: int, repo: str, wanted: Mapping[str, str]
    ) -> dict[str, Any]:
        """GitHub sends a renamed repository's old name on to its new one, but makes no tokens for
        it. With a token that may read what repositories are called, and nothing else.
        """
        looking = self._ask(installation, {"permissions": {"metadata": "read"}})["token"]
        answer = Transport(self._api_url, looking, pace=0).ask("GET", f"/repos/{repo}").data
        name = str((answer or {}).get("full_name", repo))
        if same_repo(name, repo):
            raise self._too_little(repo, _WANTED)
        there = [name.partition("/")[2]]
        return self._ask(installation, {"repositories": there, "permissions": dict(wanted)})

    def _ask(self, installation: int, wanted: dict[str, Any]) -> dict[str, Any]:
        path = f"/app/installations/{installation}/access_tokens"
        found: dict[str, Any] = self._integration.requester.requestJsonAndCheck(
            "POST", path, input=wanted
        )[1]
        return found

    def _too_little(self, repo: str, lacks: Mapping[str, str]) -> GitHubRefusedError:
        words = ", ".join(f"{right.replace('_', ' ')}: {level}" for right, level in lacks.items())
        every = "contents, issues and pull requests"
        what = every if lacks.keys() <= _WANTED.keys() else words.partition(":")[0]
        return GitHubRefusedError(
            f"App {self.app_id} was not given {words} on {repo}",
            hint=f"Give it write access to {what}",
        )


@contextmanager
def _app_errors(what: str) -> Iterator[None]:
    """What goes through PyGithub leaves as what goes through our own transport does."""
    with github_errors(what):
        try:
            yield
        except GithubException as error:
            raise_for(error.status, error.data, error.headers or {}, what)
            raise odd_answer(what, error) from error


def app_tokens(settings: Settings) -> AppTokens | None:
    """None when no App is configured. Raises BadInputError for a key that cannot be used."""
    if not settings.github_app_id or settings.github_app_key_file is None:
        return None
    key = _read_key(settings.github_app_key_file)
    return AppTokens(settings.github_app_id, key, settings.github_api_url)


def _read_key(path: Path) -> str:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    hint = "CW_GITHUB_APP_KEY_FILE names the .pem file that GitHub gave for the App"
    try:
        refuse_open(path)
        text = path.read_text(encoding="ascii")
        load_pem_private_key(text.encode(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(f"{path} is no private key that can be read", hint=hint) from error
    return text
