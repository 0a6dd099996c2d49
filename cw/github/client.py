"""GitHub behind a narrow face: issues, labels, comments and pull requests.

Writes can be repeated: looked up or idempotent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from github import GithubException
from github.GithubException import UnknownObjectException

from cw.errors import BadInputError
from cw.github.app import app_tokens
from cw.github.connection import Connection, again
from cw.github.errors import github_errors, raise_for
from cw.github.thread import text_sha256
from cw.settings import Settings

_LABEL_COLOUR = "5319e7"


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


class GitHub(Connection):
    """What is asked of issues, labels and pull requests, and done to them."""

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

    @again
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

    @again
    def add_label(self, repo: str, number: int, name: str) -> tuple[str, ...]:
        """All labels after the write: a double assignment shows at no extra cost."""
        with github_errors(f"label {name} on {repo}#{number}"):
            found = self._at(repo).requester.requestJsonAndCheck(
                "POST", f"/repos/{repo}/issues/{number}/labels", input={"labels": [name]}
            )[1]
        return tuple(one["name"] for one in found)

    @again
    def remove_label(self, repo: str, number: int, name: str) -> None:
        """Absent is fine."""
        with github_errors(f"label {name} on {repo}#{number}"):
            try:
                self._at(repo).get_repo(repo).get_issue(number).remove_from_labels(name)
            except UnknownObjectException:
                return

    def comment(self, repo: str, number: int, body: str) -> None:
        """Not to be repeated: see `comments.comment_once`."""
        with github_errors(f"comment on {repo}#{number}"):
            self._at(repo).get_repo(repo).get_issue(number).create_comment(body)

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


def open_github(settings: Settings) -> GitHub:
    """As this machine's own dispatches see it. Raises BadInputError when there is no way in."""
    key = app_tokens(settings) or settings.github_token
    if key:
        return GitHub(settings.github_api_url, key, pace=settings.github_pace)
    raise BadInputError(
        "no GitHub token",
        hint="export GH_TOKEN=$(gh auth token), or set CW_GITHUB_APP_ID and CW_GITHUB_APP_KEY_FILE",
    )
