"""The table of REST endpoints and what a handler is given."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from .access import Viewer
from .limits import Limits
from .model import Issue, Repo
from .render import Json, Render
from .state import State
from .wire import ApiError, Reply, Request, not_found

MAX_PER_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Call:
    state: State
    viewer: Viewer
    request: Request
    limits: Limits
    render: Render
    params: dict[str, str]

    def repo(self, level: str = "read", area: str = "metadata") -> Repo:
        repo = self.state.repo(f"{self.params['owner']}/{self.params['repo']}")
        self.viewer.require(repo, level, area)
        if not repo.has_issues and "/issues" in self.request.path:
            raise ApiError(410, "Issues are disabled for this repo")
        return repo

    def issue(self, repo: Repo) -> Issue:
        issue = self.state.issue(repo, int(self.params["number"]))
        self.viewer.require(repo, "read", "pull_requests" if issue.pull else "issues")
        return issue

    def page(self, items: list[Json]) -> Reply:
        """One page of the items, with the Link header that leads to the others."""
        return Reply(body=self.slice(items), headers=self.links(len(items)))

    def slice(self, items: list[Any]) -> list[Any]:
        number, size = self._page()
        return items[(number - 1) * size : number * size]

    def links(self, total: int) -> dict[str, str]:
        number, size = self._page()
        last = max(1, -(-total // size))
        targets: dict[str, int] = {}
        if number < last:
            targets |= {"next": number + 1, "last": last}
        if number > 1:
            targets |= {"first": 1, "prev": number - 1}
        if not targets:
            return {}
        url = self.request.api_base + self.request.path
        parts = [
            f'<{url}?{urlencode(self.request.query | {"page": str(page)})}>; rel="{name}"'
            for name, page in targets.items()
        ]
        return {"Link": ", ".join(parts)}

    def _page(self) -> tuple[int, int]:
        query = self.request.query
        size = int(query.get("per_page", "30"))
        return max(1, int(query.get("page", "1"))), max(1, min(size, MAX_PER_PAGE))


Handler = Callable[[Call], Reply]
_ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    """`{name}` stands for one part of the path, `{name*}` for the rest of it."""
    pattern = re.sub(r"\\{(\w+)(\\\*)?\\}", _group, re.escape(template))

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, re.compile(f"^{pattern}/?$"), handler))
        return handler

    return register


def _group(found: re.Match[str]) -> str:
    rest = ".+" if found[2] else r"\d+" if found[1] in {"number", "id"} else "[^/]+"
    return f"(?P<{found[1]}>{rest})"


def find(method: str, path: str) -> tuple[Handler, dict[str, str]]:
    method = "GET" if method == "HEAD" else method
    for known, pattern, handler in _ROUTES:
        found = pattern.match(path) if known == method else None
        if found:
            return handler, {key: unquote(value) for key, value in found.groupdict().items()}
    raise not_found()
