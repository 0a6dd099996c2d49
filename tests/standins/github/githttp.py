"""Smart HTTP: the checks GitHub makes, then git's own http-backend as CGI."""

import re
import subprocess
from dataclasses import dataclass
from urllib.parse import unquote, urlencode

from .access import Viewer
from .gitrepo import git_env
from .model import Repo
from .pushes import after_push
from .state import State
from .wire import ApiError, Reply, Request

GIT_PATH = re.compile(r"^/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$")
CGI_HEADERS = {
    "content-type": "CONTENT_TYPE",
    "content-encoding": "HTTP_CONTENT_ENCODING",
    "git-protocol": "GIT_PROTOCOL",
}


@dataclass(frozen=True, kw_only=True)
class GitCall:
    full_name: str
    path_info: str
    pushes: bool
    writes: bool  # the request that carries the pack, not the one that asks for refs


def git_call(request: Request) -> GitCall | None:
    found = GIT_PATH.match(unquote(request.path))
    if not found:
        return None
    owner, name, what = found.groups()
    writes = what == "git-receive-pack"
    return GitCall(
        full_name=f"{owner}/{name}",
        path_info=what,
        pushes=writes or request.query.get("service") == "git-receive-pack",
        writes=writes,
    )


def serve_git(state: State, viewer: Viewer, request: Request, call: GitCall) -> Reply:
    with state.lock:
        repo = _allowed(state, viewer, call)
        before = repo.path
    reply = _backend(before, request, call, viewer.login)
    if call.writes:
        after_push(state, repo, viewer.login)
    return reply


def _allowed(state: State, viewer: Viewer, call: GitCall) -> Repo:
    repo = state.repos.get(call.full_name.lower())
    if not viewer.login and (repo is None or repo.private or call.pushes):
        raise _plain(401, "Repository not found.", {"WWW-Authenticate": 'Basic realm="GitHub"'})
    if repo is None or not viewer.may(repo, "read", "contents"):
        raise _plain(404, "Repository not found.")
    if call.pushes and repo.archived:
        raise _plain(403, "This repository was archived so it is read-only.")
    if call.pushes and not viewer.may(repo, "write", "contents"):
        raise _plain(403, f"Permission to {repo.full_name}.git denied to {viewer.login}.")
    return repo


class PlainError(ApiError):
    """git shows the user text/plain answers after "remote:"."""

    def reply(self) -> Reply:
        headers = self.headers | {"Content-Type": "text/plain; charset=utf-8"}
        return Reply(status=self.status, body=f"{self.message}\n".encode(), headers=headers)


def _plain(status: int, message: str, headers: dict[str, str] | None = None) -> PlainError:
    return PlainError(status, message, headers=headers)


def _backend(path: object, request: Request, call: GitCall, login: str) -> Reply:
    environment = git_env() | {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(path),
        "PATH_INFO": f"/{call.path_info}",
        "QUERY_STRING": urlencode(request.query),
        "REQUEST_METHOD": request.method,
        "CONTENT_LENGTH": str(len(request.body)),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": login,
    }
    for header, variable in CGI_HEADERS.items():
        if header in request.headers:
            environment[variable] = request.headers[header]
    done = subprocess.run(
        ["git", "http-backend"],
        input=request.body,
        env=environment,
        capture_output=True,
        check=False,
    )
    head, separator, body = done.stdout.partition(b"\r\n\r\n")
    if not separator:
        raise _plain(500, done.stderr.decode(errors="replace") or "git http-backend failed")
    return _from_cgi(head.decode(), body)


def _from_cgi(head: str, body: bytes) -> Reply:
    headers = {}
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    status = int(headers.pop("Status", "200").split()[0])
    return Reply(status=status, body=body, headers=headers)
