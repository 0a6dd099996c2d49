"""How GitHub is asked: with which token, how patiently, and free of charge when nothing is new."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar

from cw.errors import BadInputError, CwError, GitHubLimitError, GitHubUnavailableError
from cw.forges.forge import Key
from cw.github.answer import Answer
from cw.github.errors import github_errors, raise_for, raise_for_graphql
from cw.github.expected import OBJECT, Expected
from cw.github.transport import Transport

_NOT_MODIFIED = 304
_REPEATS = 2
_SERVER_ERRORS = 500
_HOURLY = 1000  # limits by the hour are higher

Took = Callable[[Mapping[str, Any]], bool]

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


def _never(_error: Mapping[str, Any]) -> bool:
    return False


class Connection:
    """One GitHub, seen with one token, or with those of an App: one a repository.

    `pace`: seconds between two writes. Every method raises GitHubUnavailableError when asking again
    later may help, and GitHubRefusedError when it will not.
    """

    def __init__(self, api_url: str, key: Key, *, pace: float) -> None:
        self._key = key
        self._api_url = api_url
        self._pace = pace
        self._apis: dict[str, tuple[str, Transport]] = {}  # repository -> its token and its way
        # ETags are per token. Those of an App change every hour, and an old ETag does no harm.
        mark = key if isinstance(key, str) else f"app {key.app_id}"
        self.token_mark = hashlib.sha256(mark.encode()).hexdigest()[:12]

    def _at(self, repo: str) -> Transport:
        """With the token for this repository."""
        if isinstance(self._key, str):
            place, token = "", self._key
        elif repo:
            place, token = repo.lower(), self._key.token(repo)
        else:
            raise BadInputError(
                "an App's tokens are for one repository each", hint="Name them in CW_ASSIGN_REPOS"
            )
        known, way = self._apis.get(place, ("", None))
        if way is None or known != token:
            way = Transport(self._api_url, token, pace=self._pace)
            self._apis[place] = (token, way)
        return way

    def ask(
        self,
        what: str,
        repo: str,
        verb: str,
        path: str,
        body: object = None,
        expected: Expected = OBJECT,
    ) -> Answer:
        """`what`: for people. `repo`: whose token is used. What is taken is not followed either."""
        with github_errors(what):
            found = self._at(repo).ask(verb, path, body=body, stay=expected.taken)
            if found.status not in expected.taken:
                raise_for(found.status, found.data, found.headers, what)
                if not isinstance(found.data, expected.kind):
                    raise TypeError(type(found.data).__name__)
        return found

    @property
    def is_app(self) -> bool:
        return not isinstance(self._key, str)

    def beside(self, token: str) -> Self:
        """At the same place, with another token."""
        return type(self)(self._api_url, token, pace=self._pace)

    def with_right(self, repo: str, right: str) -> Self:
        """With a token that may write to this as well: an App's others may not; a token is what it
        is.
        """
        if isinstance(self._key, str):
            return self
        return self.beside(self._key.token_with(repo, right))

    def app_login(self) -> str:
        """The App's name on GitHub; empty for a token, which has a user."""
        return "" if isinstance(self._key, str) else self._key.login()

    def heard(self) -> tuple[int, int, int] | None:
        """Requests left, of how many, and when they are renewed (epoch seconds), as the last answer
        said. None: nothing yet, or of a search, which is counted apart, by the minute.
        """
        told = [way.limit for _, way in list(self._apis.values())]
        return min((limit for limit in told if limit and limit[1] >= _HOURLY), default=None)

    def check_token(self) -> None:
        """By a call that no limit counts."""
        self.ask("the token", "", "GET", "/rate_limit")

    def well(self) -> bool:
        """Whether GitHub's API answers at all. Costs nothing."""
        try:
            _, way = next(iter(list(self._apis.values())))
            with github_errors("rate limit"):
                return way.ask("GET", "/rate_limit").status < _SERVER_ERRORS
        except (StopIteration, CwError):
            return False

    def read(
        self, path: str, parameters: Mapping[str, object], etag: str, *, repo: str = ""
    ) -> Read:
        """GET, and free of charge when GitHub has nothing newer than `etag`. `repo`: whose token is
        used, where the path does not name it.
        """
        headers = {"If-None-Match": etag} if etag else {}
        with github_errors(_named(path)):
            found = self._at(repo or _repo_of(path)).ask(
                "GET", path, parameters=parameters, headers=headers
            )
            if found.status == _NOT_MODIFIED:
                return Read(None, etag)
            raise_for(found.status, found.data, found.headers, _named(path))
            if not isinstance(found.data, (dict, list)):
                raise TypeError(type(found.data).__name__)
        return Read(found.data, found.headers.get("etag", ""))

    @again
    def graphql(
        self,
        repo: str,
        query: str,
        variables: Mapping[str, object],
        *,
        partly: bool = False,
        took: Took = _never,
    ) -> Any:
        """As `graphql_once`; only for what can be repeated."""
        return self.graphql_once(repo, query, variables, partly=partly, took=took)

    def graphql_once(
        self,
        repo: str,
        query: str,
        variables: Mapping[str, object],
        *,
        partly: bool = False,
        took: Took = _never,
    ) -> Any:
        """The answer's `data`. `repo`: whose token is used. `partly`: what GitHub does not know is
        None in it. `took`: called with each other error; True: the rest of the answer is good.
        """
        body = {"query": query, "variables": dict(variables)}
        with github_errors(repo):
            answer = self.ask(repo, repo, "POST", "/graphql", body).data
            for error in answer.get("errors") or ():
                if not (partly and error.get("type") == "NOT_FOUND") and not took(error):
                    raise_for_graphql(error)
            return answer["data"]


def _named(path: str) -> str:
    """`issues of acme/app` for people who have typed no path."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["repos"] and len(parts) >= 3:
        rest = " ".join(parts[3:]) or "repository"
        return f"{rest} of {'/'.join(parts[1:3])}" if parts[3:] else f"{rest} {parts[1]}/{parts[2]}"
    return path


def _repo_of(path: str) -> str:
    """owner/repo of /repos/owner/repo/…, else nothing."""
    parts = path.split("/")
    return "/".join(parts[2:4]) if parts[1] == "repos" else ""
