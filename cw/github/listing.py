"""Reading lists of GitHub conditionally: what did not change since anybody asked costs nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from cw.forges.issue_text import text_sha256
from cw.forges.issues import LabelEvent, Listed
from cw.forges.reading import PageCache
from cw.github.connection import Connection
from cw.github.dependencies import dependencies
from cw.github.errors import github_errors

_PER_PAGE = 100
_MAX_PAGES = 50
_FORMAT = "3"  # of what is kept; another one does not read this one's


_ISSUES = TypeAdapter(list[Listed])
_EVENTS = TypeAdapter(list[LabelEvent])


class ListReader:
    """Conditional reads, counted. `asked` includes `unchanged`, which were free."""

    def __init__(self, github: Connection, cache: PageCache) -> None:
        self.github = github
        self._cache = cache
        self.asked = 0
        self.unchanged = 0
        self.odd: list[str] = []  # what could not be read, for people

    @property
    def paid(self) -> int:
        return self.asked - self.unchanged

    def known(self, path: str) -> bool:
        """Whether asking is likely to be free."""
        return self._cache.page(self._key(path, {})) is not None

    def get(
        self,
        path: str,
        digest: Callable[[Any], Any],
        parameters: dict[str, Any] | None = None,
        *,
        repo: str = "",
    ) -> Any:
        """What `digest` keeps of the answer, as JSON holds it. `repo`: whose token is used, where
        the path does not name it.
        """
        given = parameters or {}
        key = self._key(path, given)
        kept = self._cache.page(key)
        self.asked += 1
        found = self.github.read(path, given, kept[0] if kept else "", repo=repo)
        with github_errors(path):
            if found.data is None and kept:
                self.unchanged += 1
                return json.loads(kept[1])
            body = json.dumps(digest(found.data))
        if found.etag:
            self._cache.keep_page(key, found.etag, body)
        return json.loads(body)

    def _key(self, path: str, parameters: dict[str, Any]) -> str:
        query = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
        return f"{_FORMAT}:{self.github.token_mark}:{path}?{query}"

    def pages(
        self, path: str, digest: Callable[[Any], Any], parameters: dict[str, Any]
    ) -> list[Any]:
        """All pages. A full last page is followed by an empty one: its ETag would not tell."""
        rows: list[Any] = []
        for page in range(1, _MAX_PAGES + 1):
            found = self.get(path, digest, {**parameters, "per_page": _PER_PAGE, "page": page})
            rows += found
            if len(found) < _PER_PAGE:
                break
        return rows


def open_issues(reader: ListReader, repo: str, repo_id: int = 0) -> list[Listed]:
    """Issues and pull requests, oldest first. 1 + n/100 reads, never from the search index."""
    wanted = {"state": "open", "sort": "created", "direction": "asc"}
    rows = reader.pages(f"/repos/{repo}/issues", lambda found: _digest(found, repo), wanted)
    return _read(reader, rows, repo, repo_id)


def closed_lately(reader: ListReader, repo: str, repo_id: int = 0) -> list[Listed]:
    """The hundred closed ones that changed last. 1 read."""
    wanted = {"state": "closed", "sort": "updated", "direction": "desc", "per_page": _PER_PAGE}
    rows = reader.get(f"/repos/{repo}/issues", lambda found: _digest(found, repo), wanted)
    return _read(reader, rows, repo, repo_id)


def label_events(reader: ListReader, repo: str, number: int) -> list[LabelEvent]:
    """Who put which label on it when, and new titles; oldest first."""
    path = f"/repos/{repo}/issues/{number}/events"
    with github_errors(path):
        return _EVENTS.validate_python(reader.pages(path, _event_digest, {}))


def _read(reader: ListReader, rows: list[Any], repo: str, repo_id: int) -> list[Listed]:
    """One row that cannot be read is no reason to leave all others alone."""
    odd = sum(row is None for row in rows)
    if odd:
        reader.odd.append(f"{repo}: {odd} of {len(rows)} rows of its list cannot be read")
    with github_errors(f"issues of {repo}"):
        found = _ISSUES.validate_python([row for row in rows if row is not None])
    return [issue.model_copy(update={"repo_id": repo_id}) for issue in found]


def _digest(found: Any, repo: str) -> list[dict[str, Any] | None]:
    """All rows, so that a full page can be told from the last."""
    if not isinstance(found, list):
        raise TypeError(type(found).__name__)
    return [_row(row, repo) for row in found]


def _row(row: Any, repo: str) -> dict[str, Any] | None:
    try:
        return _listed(row, repo).model_dump(mode="json")
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def _listed(row: dict[str, Any], repo: str) -> Listed:
    summary = row.get("issue_dependencies_summary") or {}
    return Listed(
        repo=repo,
        number=row["number"],
        title=row["title"],
        author=(row.get("user") or {}).get("login", ""),
        association=row.get("author_association") or "NONE",
        labels=tuple(label["name"] for label in row["labels"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        is_pull="pull_request" in row or "/pull/" in row["html_url"],
        needs=dependencies(row.get("body") or "", repo),
        blocked_by=int(summary.get("blocked_by") or 0),
        text_sha256=text_sha256(row["title"], row.get("body") or ""),
    )


def _event_digest(found: Any) -> list[dict[str, Any]]:
    """All rows, so that a full page can be told from the last; only what we read of each."""
    return [
        {
            "kind": row["event"],
            "label": (row.get("label") or {}).get("name", ""),
            "actor": (row.get("actor") or {}).get("login", ""),
            "at": row["created_at"],
        }
        for row in found
    ]
