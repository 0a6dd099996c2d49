"""HTTP to one GitHub: paced, retried, and followed when a repository has moved.

PyGithub 2.10's own requester follows 301 only and drops the query on the way, takes 307 for an
answer, gives HTML back as data, and prints on standard error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from urllib.parse import urljoin, urlsplit

import requests
from github import GithubException
from requests.adapters import HTTPAdapter

from cw.errors import BadInputError, GitHubUnavailableError
from cw.github.answer import Answer, answer, begin
from cw.github.retry import PatientRetry, hush

_TIMEOUT_SECONDS = 15
_VERSION = "2022-11-28"
# "The request should be repeated verbatim to the URI in the Location header": GitHub's words of 302
# and 307, and it answers 301 to writes of an issue that was transferred as well.
_MOVED = frozenset({301, 302, 307, 308})
_MOST_MOVES = 5
_OK = 200


class Transport:
    """Requests with one token. `pace`: seconds between two writes. Safe to share."""

    def __init__(self, api_url: str, token: str, *, pace: float) -> None:
        hush()
        self._base = api_url.rstrip("/")
        self._pace = pace
        self._next_write = 0.0
        self._pacing = threading.Lock()
        self._session = requests.Session()
        self._session.auth = _no_login  # else requests reads ~/.netrc
        self._session.headers.update(
            {
                "Authorization": f"token {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": _VERSION,
                "User-Agent": "claude-workers",
            }
        )
        adapter = HTTPAdapter(max_retries=PatientRetry(), pool_maxsize=32)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)
        self.limit: tuple[int, int, int] | None = None  # left, of how many, until when

    def ask(
        self,
        verb: str,
        path: str,
        *,
        parameters: Mapping[str, object] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        stay: Collection[int] = (),
    ) -> Answer:
        """`path`: below the API, or for GraphQL beside it. Whatever GitHub's status is. `stay`:
        statuses that lead elsewhere and are not followed.

        Raises GitHubUnavailableError for what is no answer of GitHub's, and what requests raises.
        """
        if verb != "GET":
            self._wait_for_turn()
        try:
            found = self._follow(verb, path, parameters, body, headers, stay=stay)
        except GithubException as error:  # of a status that its Retry has looked into
            return answer(error.status, error.headers or {}, error.data)
        if found.status_code in stay and found.status_code in _MOVED:
            return answer(found.status_code, found.headers, None)  # there may be a page with it
        return answer(found.status_code, found.headers, found.content)

    def read_text(self, path: str, accept: str, most: int) -> Answer:
        """GET of what is no JSON: with a status of 200, `data` is text, of which one character more
        than `most` is read, if there is so much. Raises as `ask`.
        """
        try:
            found = self._follow("GET", path, None, None, {"Accept": accept}, stream=True)
        except GithubException as error:
            return answer(error.status, error.headers or {}, error.data)
        with found:
            if found.status_code != _OK:
                return answer(found.status_code, found.headers, found.content)
            text = begin(found, most + 1)
        return Answer(_OK, {name.lower(): value for name, value in found.headers.items()}, text)

    def _follow(
        self,
        verb: str,
        path: str,
        parameters: Mapping[str, object] | None,
        body: object,
        headers: Mapping[str, str] | None,
        *,
        stay: Collection[int] = (),
        stream: bool = False,
    ) -> requests.Response:
        """To where it is now."""
        leads = _MOVED - set(stay)
        url = self._graphql() if path == "/graphql" else f"{self._base}{path}"
        found = self._send(verb, url, parameters, body, headers, stream=stream)
        for _ in range(_MOST_MOVES):
            if found.status_code not in leads or "location" not in found.headers:
                break
            url = self._moved(url, found.headers["location"])
            found = self._send(verb, url, None, body, headers, stream=stream)
        if found.status_code in leads:
            raise GitHubUnavailableError(f"GitHub sends {path} round in circles")
        self._note_limit(found.headers)
        return found

    def _send(
        self,
        verb: str,
        url: str,
        parameters: Mapping[str, object] | None,
        body: object,
        headers: Mapping[str, str] | None,
        *,
        stream: bool,
    ) -> requests.Response:
        return self._session.request(
            verb,
            url,
            params=dict(parameters or {}),  # type: ignore[arg-type]
            json=body,  # type: ignore[arg-type]
            headers=dict(headers or {}),
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
            stream=stream,
        )

    def _moved(self, url: str, location: str) -> str:
        """The token goes to no other machine."""
        there = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(there)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            raise BadInputError(
                f"GitHub's API at {self._base} sends to {new.scheme}://{new.hostname}",
                hint="Set CW_GITHUB_API_URL to where it is",
            )
        return there

    def _graphql(self) -> str:
        """GitHub Enterprise has it beside /api/v3."""
        return f"{self._base.removesuffix('/v3')}/graphql"

    def _wait_for_turn(self) -> None:
        if not self._pace:
            return
        with self._pacing:
            now = time.monotonic()
            wait = max(0.0, self._next_write - now)
            self._next_write = now + wait + self._pace
        time.sleep(wait)

    def _note_limit(self, headers: Mapping[str, str]) -> None:
        names = ("remaining", "limit", "reset")
        found = [headers.get(f"x-ratelimit-{name}", "") for name in names]
        if all(value.isdigit() for value in found):
            self.limit = (int(found[0]), int(found[1]), int(found[2]))


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
