"""Renamed and transferred repositories, transferred issues: where GitHub sends a request on.

GitHub's REST documentation, "Follow redirects": 301 is permanent; what 302 and 307 answer is to be
"repeated verbatim". A repository's old name answers reads with 301 and writes with 307, to
/repositories/:id. "Get an issue": one that was transferred "returns a 301 Moved Permanently".
"Renaming a repository": git "will continue to function as if made on the new location", until the
old name is given to a new repository: "redirects … will no longer work" then.
"""

import re
from dataclasses import replace
from urllib.parse import urlencode

from .access import Viewer
from .model import Repo
from .state import State
from .wire import Reply, Request, not_found

_BY_NAME = re.compile(r"^/repos/([^/]+/[^/]+)(/.*)?$")
_BY_ID = re.compile(r"^/repositories/(\d+)(/.*)?$")
_ISSUE = re.compile(r"^/issues/(\d+)(/.*)?$")
_SAFE = frozenset({"GET", "HEAD"})


def by_name(state: State, viewer: Viewer, request: Request) -> Request:
    """A request to /repositories/:id as one to the name it has now."""
    found = _BY_ID.match(request.path)
    if not found:
        return request
    repo = state.repo_by_id(int(found[1]))
    if not viewer.sees(repo) and not request.path.endswith("/installation"):
        raise not_found()
    return replace(request, path=f"/repos/{repo.full_name}{found[2] or ''}")


def sent_on(state: State, viewer: Viewer, request: Request) -> Reply | None:
    """The redirect, if what is asked for lies elsewhere by now."""
    found = _BY_NAME.match(request.path)
    if not found:
        return None
    name, rest = found[1], found[2] or ""
    repo = state.moved_repo(name)
    if repo and (viewer.sees(repo) or rest == "/installation"):
        return _redirect(request, repo, rest)
    issue = _ISSUE.match(rest)
    here = state.repos.get(name.lower())
    there = state.transferred.get((here.id, int(issue[1]))) if here and issue else None
    if there and issue and viewer.sees(there[0]):
        return _redirect(request, there[0], f"/issues/{there[1]}{issue[2] or ''}")
    return None


def git_sent_on(state: State, request: Request, name: str, rest: str) -> Reply | None:
    repo = state.moved_repo(name)
    if repo is None:
        return None
    query = f"?{urlencode(request.query)}" if request.query else ""
    scheme = request.api_base.partition(":")[0]
    there = f"{scheme}://{request.host}/{repo.full_name}.git/{rest}{query}"
    return Reply(status=_status(request), headers={"Location": there})


def _redirect(request: Request, repo: Repo, rest: str) -> Reply:
    query = f"?{urlencode(request.query)}" if request.query else ""
    there = f"{request.api_base}/repositories/{repo.id}{rest}{query}"
    said = "Moved Permanently" if request.method in _SAFE else "Temporary Redirect"
    body = {"message": said, "url": there, "documentation_url": "https://docs.github.com/rest"}
    return Reply(status=_status(request), body=body, headers={"Location": there})


def _status(request: Request) -> int:
    return 301 if request.method in _SAFE else 307
