"""Where logs lie: with somebody else, for whoever has the link while it is good.

As the storage behind GitHub does, it refuses those that bring a token along.
"""

import hashlib
import io
import re
import zipfile
from datetime import timedelta

from . import ci
from .model import ActionsRun, CheckRun, Repo
from .state import State
from .wire import ApiError, Reply, Request, not_found

_PLACE = re.compile(r"^/_logs/(jobs|runs)/(\d+)/(\d+)/([0-9a-f]{64})$")
_LIFE = timedelta(minutes=1)


def is_log(request: Request) -> bool:
    return request.path.startswith("/_logs/")


def place_of(state: State, kind: str, id_: int) -> str:
    """A link to the log of one of the `jobs` or `runs`."""
    until = int((state.now() + _LIFE).timestamp())
    return f"{state.logs_url}/_logs/{kind}/{id_}/{until}/{_signature(kind, id_, until)}"


def serve_log(state: State, request: Request) -> Reply:
    found = _PLACE.match(request.path)
    if not found:
        raise not_found()
    kind, id_, until = found[1], int(found[2]), int(found[3])
    if found[4] != _signature(kind, id_, until):
        raise not_found()
    if "authorization" in request.headers:
        raise ApiError(401, "Server failed to authenticate the request.")
    if state.now().timestamp() > until:
        raise ApiError(403, "This link is not good any more")
    for repo in state.repos.values():
        if kind == "jobs" and (check := repo.check_runs.get(id_)):
            plain = {"Content-Type": "text/plain; charset=utf-8"}
            return Reply(body=_timed(check).encode(), headers=plain)
        if kind == "runs" and (run := repo.actions_runs.get(id_)):
            return Reply(body=_packed(repo, run), headers={"Content-Type": "application/zip"})
    raise not_found()


def _packed(repo: Repo, run: ActionsRun) -> bytes:
    """A folder for each job that has a log, with a file for each step: they have one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for at, check in enumerate(ci.checks_of(repo, run)):
            if check.log:
                made.writestr(f"{at}_{check.name}.txt", _timed(check))
                made.writestr(f"{check.name}/1_{ci.STEP}.txt", _timed(check))
    return packed.getvalue()


def _timed(check: CheckRun) -> str:
    """As Actions writes it: each line with when it was said, behind a byte order mark."""
    at = check.started_at.strftime("%Y-%m-%dT%H:%M:%S.1234567Z") if check.started_at else ""
    return "\ufeff" + "".join(f"{at} {line}\n" for line in check.log.split("\n"))


def _signature(kind: str, id_: int, until: int) -> str:
    return hashlib.sha256(f"{kind} {id_} {until}".encode()).hexdigest()
