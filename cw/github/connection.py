"""How GitHub is asked: with which token, how patiently, and free of charge when nothing is new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from github import Auth, Github

from cw.errors import BadInputError, GitHubLimitError, GitHubUnavailableError
from cw.github.app import AppTokens
from cw.github.errors import github_errors, raise_for, raise_for_graphql
from cw.github.retry import PatientRetry

_TIMEOUT_SECONDS = 15
_NOT_MODIFIED = 304
_REPEATS = 2
_BAD_REQUEST = 400
_HOURLY = 1000  # limits by the hour are higher

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """An answer to a conditional read. `data` is None when nothing has changed."""

    data: Any
    etag: str


def again(write: Callable[P, T]) -> Callable[P, T]:
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


class Connection:
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

    @again
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


def _repo_of(path: str) -> str:
    """owner/repo of /repos/owner/repo/…, else nothing."""
    parts = path.split("/")
    return "/".join(parts[2:4]) if parts[1] == "repos" else ""
