"""GitHub behind a narrow face. Writes can be repeated: looked up or idempotent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from github import Auth, Github, GithubException
from github.GithubException import UnknownObjectException

from cw.errors import BadInputError, GitHubLimitError, GitHubUnavailableError
from cw.github.app import AppTokens, app_tokens
from cw.github.errors import github_errors, raise_for, raise_for_graphql
from cw.github.retry import PatientRetry
from cw.github.thread import text_sha256
from cw.settings import Settings

_TIMEOUT_SECONDS = 15
_LABEL_COLOUR = "5319e7"
_NOT_MODIFIED = 304
_REPEATS = 2
_BAD_REQUEST = 400
_HOURLY = 1000  # limits by the hour are higher


P = ParamSpec("P")
T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Read:
    """An answer to a conditional read. `data` is None when nothing has changed."""

    data: Any
    etag: str


@dataclass(frozen=True, slots=True)
class Pull:
    number: int
    url: str
    head: str  # sha
    open: bool
    draft: bool
    merged: bool


def _again(write: Callable[P, T]) -> Callable[P, T]:
    """Repeat a write that changes nothing when it is done twice, but not what GitHub limits."""

    @wraps(write)
    def call(*args: P.args, **named: P.kwargs) -> T:
        for _ in range(_REPEATS):
            try:
                return write(*args, **named)
            except GitHubLimitError:
                raise
            except GitHubUnavailableError:
                continue
        return write(*args, **named)

    return call


class GitHub:
    """One GitHub, seen with one token, or with those of an App: one a repository.

    `pace`: seconds between two writes. Every method raises GitHubUnavailableError when asking again
    later may help, and GitHubRefusedError when it will not.
    """

    def __init__(self, api_url: str, key: str | AppTokens, *, pace: float) -> None:
        self._key = key
        self._api_url = api_url
        self._pace = pace
        self._apis: dict[str, tuple[str, Any]] = {}  # repository -> its token, and what uses it
        # ETags are per token. Those of an App change every hour, and an old ETag does no harm.
        mark = key if isinstance(key, str) else f"app {key.app_id}"
        self.token_mark = hashlib.sha256(mark.encode()).hexdigest()[:12]

    def _at(self, repo: str) -> Any:
        """PyGithub with the token for this repository."""
        if isinstance(self._key, str):
            place, token = "", self._key
        elif repo:
            place, token = repo.lower(), self._key.token(repo)
        else:
            raise BadInputError(
                "an App's tokens are for one repository each", hint="Name them in CW_ASSIGN_REPOS"
            )
        known, api = self._apis.get(place, ("", None))
        if known != token:
            api = Github(
                auth=Auth.Token(token),
                base_url=self._api_url,
                timeout=_TIMEOUT_SECONDS,
                retry=PatientRetry(),
                per_page=100,
                seconds_between_requests=None,
                seconds_between_writes=self._pace or None,
                lazy=True,
            )
            self._apis[place] = (token, api)
        return api

    def app_login(self) -> str:
        """The App's name on GitHub; empty for a token, which has a user."""
        return "" if isinstance(self._key, str) else self._key.login()

    def heard(self) -> tuple[int, int, int] | None:
        """Requests left, of how many, and when they are renewed (epoch seconds), as the last answer
        said. None: nothing yet, or of a search, which is counted apart, by the minute.
        """
        asked = [api.requester for _, api in list(self._apis.values())]
        found = [
            (int(left), int(limit), int(one.rate_limiting_resettime))
            for one in asked
            for left, limit in [one.rate_limiting]
            if limit >= _HOURLY
        ]
        return min(found, default=None)

    def read(self, path: str, parameters: Mapping[str, object], etag: str) -> Read:
        """GET, and free of charge when GitHub has nothing newer than `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        with github_errors(path):
            status, answered, text = self._at(_repo_of(path)).requester.requestJson(
                "GET", path, parameters=dict(parameters), headers=headers
            )
            if status == _NOT_MODIFIED:
                return Read(None, etag)
            data = json.loads(text or "null")
            if status >= _BAD_REQUEST:
                raise_for(status, data)
        return Read(data, answered.get("etag", ""))

    @_again
    def graphql(self, repo: str, query: str, variables: Mapping[str, object]) -> Any:
        """The answer's `data`. Only for what can be repeated. `repo`: whose token is used."""
        with github_errors(repo):
            requester = self._at(repo).requester
            _, answer = requester.requestJsonAndCheck(
                "POST", requester.graphql_url, input={"query": query, "variables": dict(variables)}
            )
        for error in answer.get("errors") or ():
            raise_for_graphql(error)
        return answer["data"]

    def issue(self, repo: str, number: int) -> Issue:
        with github_errors(f"issue {repo}#{number}"):
            found = self._at(repo).requester.requestJsonAndCheck(
                "GET", f"/repos/{repo}/issues/{number}"
            )[1]
        return Issue(
            number=number,
            title=found["title"],
            body=found.get("body") or "",
            author=(found.get("user") or {}).get("login", ""),
            url=found["html_url"],
            open=found["state"] == "open",
            labels=tuple(one["name"] for one in found["labels"]),
            is_pull="pull_request" in found or "/pull/" in found["html_url"],
            created_at=datetime.fromisoformat(found["created_at"]),
        )

    def can_push(self, repo: str) -> bool:
        """Whether the token may push. Raises GitHubRefusedError when it cannot even see it."""
        if not isinstance(self._key, str):
            return bool(self._key.token(repo))  # GitHub tells Apps nothing of a user's permissions
        with github_errors(f"repository {repo}"):
            found = self._at(repo).requester.requestJsonAndCheck("GET", f"/repos/{repo}")[1]
        return bool((found.get("permissions") or {}).get("push", False))

    def default_branch(self, repo: str) -> str:
        with github_errors(f"repository {repo}"):
            found = self._at(repo).requester.requestJsonAndCheck("GET", f"/repos/{repo}")[1]
        return str(found["default_branch"])

    @_again
    def ensure_label(
        self, repo: str, name: str, description: str, colour: str = _LABEL_COLOUR
    ) -> None:
        """Make the label, if the repository lacks it."""
        body = {"name": name, "color": colour, "description": description}
        with github_errors(f"label {name} of {repo}"):
            status, _, answer = self._at(repo).requester.requestJson(
                "POST", f"/repos/{repo}/labels", input=body
            )
            if status != 422:  # already there
                raise_for(status, answer)

    @_again
    def add_label(self, repo: str, number: int, name: str) -> tuple[str, ...]:
        """All labels after the write: a double assignment shows at no extra cost."""
        with github_errors(f"label {name} on {repo}#{number}"):
            found = self._at(repo).requester.requestJsonAndCheck(
                "POST", f"/repos/{repo}/issues/{number}/labels", input={"labels": [name]}
            )[1]
        return tuple(one["name"] for one in found)

    @_again
    def remove_label(self, repo: str, number: int, name: str) -> None:
        """Absent is fine."""
        with github_errors(f"label {name} on {repo}#{number}"):
            try:
                self._at(repo).get_repo(repo).get_issue(number).remove_from_labels(name)
            except UnknownObjectException:
                return

    def comment_once(self, repo: str, number: int, body: str, mark: str) -> None:
        """Post a comment, unless one that carries `mark` (a hidden line) is there."""
        hidden = f"<!-- {mark} -->"
        with github_errors(f"comment on {repo}#{number}"):
            issue = self._at(repo).get_repo(repo).get_issue(number)
            if any(hidden in (one.body or "") for one in issue.get_comments()):
                return
            issue.create_comment(f"{body}\n\n{hidden}")

    def last_push(self, repo: str, ref: str) -> tuple[str, str]:
        """What the newest push, or deletion, made of a branch, and the login of who did it. Empty
        when GitHub knows of none.
        """
        with github_errors(f"activity of {repo}"):
            rows = self._at(repo).requester.requestJsonAndCheck(
                "GET", f"/repos/{repo}/activity", parameters={"ref": ref, "per_page": 1}
            )[1]
        if not rows:
            return "", ""
        return rows[0]["after"], (rows[0].get("actor") or {}).get("login", "")

    def find_pull(self, repo: str, branch: str) -> Pull | None:
        """The newest pull request whose head is this branch of this very repository."""
        owner = repo.split("/", maxsplit=1)[0]
        with github_errors(f"pull requests of {repo}"):
            pulls = self._at(repo).get_repo(repo).get_pulls(state="all", head=f"{owner}:{branch}")
            # A malformed filter is ignored by GitHub and forks use the same names: look again.
            mine = [_pull(one) for one in pulls if _is_head(one, repo, branch)]
        return max(mine, key=lambda one: (one.open, one.number), default=None)

    def open_pull(
        self, repo: str, *, branch: str, base: str, title: str, body: str, draft: bool = False
    ) -> Pull:
        """Open it, or return the one that is already open. Not every plan of GitHub's has drafts:
        without them it is opened all the same.
        """
        with github_errors(f"pull request for {branch} of {repo}"):
            try:
                made = (
                    self._at(repo)
                    .get_repo(repo)
                    .create_pull(base=base, head=branch, title=title, body=body, draft=draft)
                )
            except GithubException as error:
                found = self.find_pull(repo, branch) if error.status == 422 else None
                if found and found.open:
                    return found
                if draft and _no_drafts(error):
                    return self.open_pull(repo, branch=branch, base=base, title=title, body=body)
                raise
            return _pull(made)


def _pull(one: Any) -> Pull:
    return Pull(
        one.number,
        one.html_url,
        one.head.sha,
        one.state == "open",
        bool(one.draft),
        bool(one.merged_at),
    )


def _no_drafts(error: GithubException) -> bool:
    return error.status == 422 and "draft pull requests are not supported" in str(error).lower()


def _is_head(one: Any, repo: str, branch: str) -> bool:
    whose = one.head.repo.full_name if one.head.repo else ""
    return one.head.ref == branch and whose.lower() == repo.lower()


def _repo_of(path: str) -> str:
    """owner/repo of /repos/owner/repo/…, else nothing."""
    parts = path.split("/")
    return "/".join(parts[2:4]) if parts[1] == "repos" else ""


def open_github(settings: Settings) -> GitHub:
    """As this machine's own dispatches see it. Raises BadInputError when there is no way in."""
    key = app_tokens(settings) or settings.github_token
    if key:
        return GitHub(settings.github_api_url, key, pace=settings.github_pace)
    raise BadInputError(
        "no GitHub token",
        hint="export GH_TOKEN=$(gh auth token), or set CW_GITHUB_APP_ID and CW_GITHUB_APP_KEY_FILE",
    )
