"""GitHub behind a narrow face: issues, labels, comments and pull requests.

Writes can be repeated: looked up or idempotent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from cw.errors import BadInputError, GitHubRefusedError, GoneError
from cw.github.app import app_tokens
from cw.github.connection import ROWS, Connection, Expected, again
from cw.github.errors import github_errors, says_no_drafts
from cw.github.issue_text import text_sha256
from cw.names import repo_key, same_repo
from cw.settings import Settings

if TYPE_CHECKING:
    from cw.github.app import AppTokens

_LABEL_COLOUR = "5319e7"
_GONE = 404
_INVALID = 422  # or there already
_PER_PAGE = 100
_MAX_PAGES = 30
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


@dataclass(frozen=True, slots=True)
class Pull:
    number: int
    url: str
    head: str  # sha
    open: bool
    draft: bool
    merged: bool
    branch: str = ""  # in this repository; empty: of a fork, or not asked for
    base: str = ""  # the branch that it goes into
    author: str = ""  # empty: not known any more
    ours: bool = False  # opened by the account that asks


@dataclass(frozen=True, slots=True)
class Push:
    """One change of a branch. Forty zeros: it was not there. `by`: an account."""

    before: str
    after: str
    by: str


class GitHub(Connection):
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

    def last_push(self, repo: str, ref: str) -> tuple[str, str]:
        """What the newest push, or deletion, made of a branch, and the login of who did it. Empty
        when GitHub knows of none.
        """
        what, query = f"activity of {repo}", urlencode({"ref": ref, "per_page": 1})
        with github_errors(what):
            path = f"/repos/{repo}/activity?{query}"
            rows = self.ask(what, repo, "GET", path, expected=ROWS).data
            if not rows:
                return "", ""
            return rows[0]["after"], (rows[0].get("actor") or {}).get("login", "")

    def find_pull(self, repo: str, branch: str, base: str = "") -> Pull | None:
        """The newest pull request whose head is this branch of this very repository, of open ones
        rather one into `base`. `repo`: its name of now, as owners are compared by their names here.
        """
        owner = repo.split("/", maxsplit=1)[0]
        what, query = f"pull requests of {repo}", {"state": "all", "head": f"{owner}:{branch}"}
        with github_errors(what):
            # A malformed filter is ignored by GitHub and forks use the same names: look again.
            rows = self._pages(what, repo, f"/repos/{repo}/pulls", query)
            mine = [_pull(row) for row in rows if _is_head(row, branch)]
        return max(mine, key=lambda pull: (pull.open, pull.base == base, pull.number), default=None)

    def open_pull(
        self, repo: str, *, branch: str, base: str, title: str, body: str, draft: bool = False
    ) -> Pull:
        """Open it, or return the one that is already open. Not every plan of GitHub's has drafts:
        without them it is opened all the same.
        """
        what, path = f"pull request for {branch} of {repo}", f"/repos/{repo}/pulls"
        asked = {"base": base, "head": branch, "title": title, "body": body, "draft": draft}
        with github_errors(what):
            made = self.ask(what, repo, "POST", path, asked, Expected(taken=(_INVALID,)))
            if made.status != _INVALID:
                return _pull(made.data)
            found = self.find_pull(repo, branch)
            if found and found.open:
                return found
            if draft and says_no_drafts(str(made.data)):
                return self.open_pull(repo, branch=branch, base=base, title=title, body=body)
            raise GitHubRefusedError(f"GitHub refused: {_reasons(made.data)}")

    @again
    def retarget(self, repo: str, number: int, base: str) -> None:
        """Have a pull request go into another branch."""
        what = f"base of pull request {repo}#{number}"
        self.ask(what, repo, "PATCH", f"/repos/{repo}/pulls/{number}", {"base": base})

    def pushes(self, repo: str, ref: str, since: datetime) -> list[Push]:
        """What was pushed to a branch since then, oldest first; at most the last 100."""
        what, query = f"activity of {repo}", urlencode({"ref": ref, "per_page": _PER_PAGE})
        with github_errors(what):
            rows = self.ask(
                what, repo, "GET", f"/repos/{repo}/activity?{query}", expected=ROWS
            ).data
            found = [
                Push(
                    str(row["before"]),
                    str(row["after"]),
                    (row.get("actor") or {}).get("login", ""),
                )
                for row in rows
                if datetime.fromisoformat(row["timestamp"]) >= since
            ]
        return found[::-1]

    def _pages(
        self, what: str, repo: str, path: str, query: Mapping[str, object] | None = None
    ) -> Iterator[Any]:
        for page in range(1, _MAX_PAGES + 1):
            asked = urlencode({**(query or {}), "per_page": _PER_PAGE, "page": page})
            rows = self.ask(what, repo, "GET", f"{path}?{asked}", expected=ROWS).data
            yield from rows
            if len(rows) < _PER_PAGE:
                return


def _refuse_moved(found: Any, repo: str, number: int) -> None:
    """An issue that was transferred answers as what it is now. `repo`: its name of now."""
    there = "/".join(found["html_url"].split("/")[-4:-2])
    if found["number"] != number or not same_repo(there, repo):
        raise GoneError(
            f"issue {repo}#{number} was transferred to {there}#{found['number']}",
            hint=f"Use: -r {there} -i {found['number']}",
        )


def _reasons(data: Any) -> str:
    """Of a 422: its message says no more than `Validation Failed`."""
    errors = data.get("errors") or () if isinstance(data, dict) else ()
    said = [
        error.get("message") or error.get("code", "") for error in errors if isinstance(error, dict)
    ]
    return "; ".join(filter(None, said)) or str(data.get("message", data))


def _pull(row: Any) -> Pull:
    return Pull(
        int(row["number"]),
        str(row["html_url"]),
        str(row["head"]["sha"]),
        row["state"] == "open",
        bool(row.get("draft")),
        bool(row["merged_at"]),
        base=str(row["base"]["ref"]),
        author=(row.get("user") or {}).get("login", ""),
    )


def _is_head(row: Any, branch: str) -> bool:
    """By the ids of head and base: a name may have changed, or mean a fork's owner."""
    head, base = row["head"], row["base"]
    mine = head["repo"] and head["repo"]["id"] == base["repo"]["id"]
    return bool(mine and head["ref"] == branch)


def open_github(settings: Settings) -> GitHub:
    """As this machine's own dispatches see it. Raises BadInputError when there is no way in."""
    key = app_tokens(settings) or settings.github_token
    if key:
        return GitHub(settings.github_api_url, key, pace=settings.github_pace)
    raise BadInputError(
        "no GitHub token",
        hint="export GH_TOKEN=$(gh auth token), or set CW_GITHUB_APP_ID and CW_GITHUB_APP_KEY_FILE",
    )
