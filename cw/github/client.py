"""GitHub behind a narrow face, which is `cw.forges.client.Client`: issues and labels here, what is
asked of pull requests in `pulls` and `repairing`, and what has a file of its own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cw.errors import GoneError
from cw.forges.forge import Key
from cw.forges.issues import Issue, Thread
from cw.forges.pulls import MergeMethod, Pull
from cw.forges.reading import Facts, Kept, PageCache
from cw.forges.repositories import Repository
from cw.github.comments import comment_once
from cw.github.connection import again
from cw.github.drafts import to_draft
from cw.github.errors import github_errors
from cw.github.expected import ROWS, Expected
from cw.github.identity import Places
from cw.github.merging import merge, merge_methods
from cw.github.opened import opened
from cw.github.reader import GitHubReader
from cw.github.repairing import Repairing
from cw.github.repository import missing, read_repository, unread
from cw.github.reviewing import Reviews
from cw.github.standing import standing
from cw.github.thread import read_thread
from cw.github.watched import GitHubWatch
from cw.github.written import written
from cw.names import repo_key, same_repo

_LABEL_COLOUR = "5319e7"
_GONE = 404
_INVALID = 422  # or there already
_NAME_SECONDS = 60.0  # that a name is believed


class GitHub(Reviews, Repairing):
    """What is asked of issues, labels and pull requests, and done to them."""

    def __init__(self, api_url: str, key: Key, *, pace: float) -> None:
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

    def comment_once(self, repo: str, number: int, body: str, marks: Sequence[str]) -> None:
        comment_once(self, repo, number, body, marks)

    def to_draft(self, repo: str, number: int) -> bool:
        return to_draft(self, repo, number)

    def merge_methods(self, repo: str) -> tuple[MergeMethod, ...]:
        return merge_methods(self, repo)

    def merge(self, repo: str, number: int, *, head: str, method: MergeMethod) -> str:
        return merge(self, repo, number, head=head, method=method)

    def thread(self, repo: str, number: int) -> Thread:
        return read_thread(self, repo, number)

    def reader(self, pages: PageCache) -> GitHubReader:
        return GitHubReader(self, pages)

    def written(self, repo: str, numbers: Sequence[int], since: datetime) -> tuple[str, ...]:
        return written(self, repo, numbers, since)

    def repository(self, repo: str) -> Repository:
        return read_repository(self, repo)

    def missing(self, found: Repository) -> tuple[str, ...]:
        return missing(self, found)

    def unread(self, found: Repository) -> tuple[str, ...]:
        return unread(self, found)

    def places(self, facts: Facts) -> Places:
        return Places(self, facts)

    def watch(self, kept: Kept) -> GitHubWatch:
        return GitHubWatch(self, kept)

    def standing(self, repo: str, branch: str) -> tuple[str, tuple[Pull, ...]]:
        return standing(self, repo, branch)

    def opened(self, repo: str, branch: str, since: datetime) -> tuple[list[Pull], list[Pull]]:
        return opened(self, repo, branch, since)


def _refuse_moved(found: Any, repo: str, number: int) -> None:
    """An issue that was transferred answers as what it is now. `repo`: its name of now."""
    there = "/".join(found["html_url"].split("/")[-4:-2])
    if found["number"] != number or not same_repo(there, repo):
        raise GoneError(
            f"issue {repo}#{number} was transferred to {there}#{found['number']}",
            hint=f"Use: -r {there} -i {found['number']}",
        )
