"""GitHub behind a narrow face: issues, labels and comments, and what `pulls` has.

Writes can be repeated: looked up or idempotent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cw.errors import BadInputError, GoneError
from cw.github.app import app_tokens
from cw.github.connection import again
from cw.github.errors import github_errors
from cw.github.expected import ROWS, Expected
from cw.github.issue_text import text_sha256
from cw.github.pulls import Pulls
from cw.names import repo_key, same_repo
from cw.settings import Settings

if TYPE_CHECKING:
    from cw.github.app import AppTokens

_LABEL_COLOUR = "5319e7"
_GONE = 404
_INVALID = 422  # or there already
_NAME_SECONDS = 60.0  # that a name is believed


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


class GitHub(Pulls):
    """What is asked of issues, labels and pull requests, and done to them."""

    def __init__(self, api_url: str, key: str | AppTokens, *, pace: float) -> None:
        super().__init__(api_url, key, pace=pace)
        self._names: dict[str, tuple[str, float]] = {}  # a repository's key -> its name, and when

    def name_of(self, repo: str, repo_id: int) -> str:
        """What the repository is called now: it may have been renamed or given away since, and its
        old name to another one. `repo`: what it was called; all there is to go by without an id.
        """
        key, what = repo_key(repo, repo_id), f"repository {repo}"
        name, at = self._names.get(key, ("", 0.0))
        if not name or time.monotonic() - at > _NAME_SECONDS:
            path = f"/repositories/{repo_id}" if repo_id else f"/repos/{repo}"
            with github_errors(what):
                name = str(self.ask(what, repo, "GET", path).data["full_name"])
            self._names[key] = (name, time.monotonic())
        return name

    def issue(self, repo: str, number: int) -> Issue:
        what = f"issue {repo}#{number}"
        with github_errors(what):
            found = self.ask(what, repo, "GET", f"/repos/{repo}/issues/{number}").data
            _refuse_moved(found, repo, number)
            return Issue(
                number=number,
                title=found["title"],
                body=found.get("body") or "",
                author=(found.get("user") or {}).get("login", ""),
                url=found["html_url"],
                open=found["state"] == "open",
                labels=tuple(label["name"] for label in found["labels"]),
                is_pull="pull_request" in found or "/pull/" in found["html_url"],
                created_at=datetime.fromisoformat(found["created_at"]),
            )

    @again
    def ensure_label(
        self, repo: str, name: str, description: str, colour: str = _LABEL_COLOUR
    ) -> None:
        """Make the label, if the repository lacks it."""
        body = {"name": name, "color": colour, "description": description}
        what = f"label {name} of {repo}"
        self.ask(what, repo, "POST", f"/repos/{repo}/labels", body, Expected(taken=(_INVALID,)))

    @again
    def add_label(self, repo: str, number: int, name: str) -> tuple[str, ...]:
        """All labels after the write: a double assignment shows at no extra cost."""
        what, path = f"label {name} on {repo}#{number}", f"/repos/{repo}/issues/{number}/labels"
        with github_errors(what):
            found = self.ask(what, repo, "POST", path, {"labels": [name]}, expected=ROWS).data
            return tuple(label["name"] for label in found)

    @again
    def remove_label(self, repo: str, number: int, name: str) -> None:
        """Absent is fine."""
        path = f"/repos/{repo}/issues/{number}/labels/{quote(name, safe='')}"
        what = f"label {name} on {repo}#{number}"
        self.ask(what, repo, "DELETE", path, expected=Expected(object, taken=(_GONE,)))

    def comment(self, repo: str, number: int, body: str) -> None:
        """Not to be repeated: see `comments.comment_once`."""
        path = f"/repos/{repo}/issues/{number}/comments"
        what = f"comment on {repo}#{number}"
        with github_errors(what):  # an answer that names no comment is no proof of one
            _ = self.ask(what, repo, "POST", path, {"body": body}).data["id"]


def _refuse_moved(found: Any, repo: str, number: int) -> None:
    """An issue that was transferred answers as what it is now. `repo`: its name of now."""
    there = "/".join(found["html_url"].split("/")[-4:-2])
    if found["number"] != number or not same_repo(there, repo):
        raise GoneError(
            f"issue {repo}#{number} was transferred to {there}#{found['number']}",
            hint=f"Use: -r {there} -i {found['number']}",
        )


def open_github(settings: Settings) -> GitHub:
    """As this machine's own dispatches see it. Raises BadInputError when there is no way in."""
    key = app_tokens(settings) or settings.github_token
    if key:
        return GitHub(settings.github_api_url, key, pace=settings.github_pace)
    raise BadInputError(
        "no GitHub token",
        hint="export GH_TOKEN=$(gh auth token), or set CW_GITHUB_APP_ID and CW_GITHUB_APP_KEY_FILE",
    )
