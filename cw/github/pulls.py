"""Pull requests, and what was pushed to branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cw.errors import GitHubRefusedError
from cw.forges.pulls import Pull, Push
from cw.github.connection import Connection, again
from cw.github.errors import github_errors, says_no_drafts
from cw.github.expected import ROWS, Expected

_INVALID = 422  # or there already
_PER_PAGE = 100
_MAX_PAGES = 30


class Pulls(Connection):
    """What is asked of them, and done to them."""

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

    def changed_files(self, repo: str, number: int) -> frozenset[str]:
        """Under their names before and after. GitHub lists at most 3,000."""
        what, path = f"files of pull request {repo}#{number}", f"/repos/{repo}/pulls/{number}/files"
        with github_errors(what):
            names = ("filename", "previous_filename")
            rows = self._pages(what, repo, path)
            return frozenset(str(row[name]) for row in rows for name in names if row.get(name))

    @again
    def retarget(self, repo: str, number: int, base: str) -> None:
        """Have a pull request go into another branch."""
        what = f"base of pull request {repo}#{number}"
        self.ask(what, repo, "PATCH", f"/repos/{repo}/pulls/{number}", {"base": base})

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
