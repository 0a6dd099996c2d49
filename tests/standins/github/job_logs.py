"""Where logs of jobs lie: with somebody else, for whoever has the link while it is good.

As the storage behind GitHub does, it refuses those that bring a token along.
"""

import hashlib
import re
from datetime import timedelta

from .model import CheckRun
from .state import State
from .wire import ApiError, Reply, Request, not_found

_PLACE = re.compile(r"^/_logs/(\d+)/(\d+)/([0-9a-f]{64})$")
_LIFE = timedelta(minutes=1)


def is_log(request: Request) -> bool:
    return request.path.startswith("/_logs/")


def place_of(state: State, check: CheckRun) -> str:
    until = int((state.now() + _LIFE).timestamp())
    return f"{state.logs_url}/_logs/{check.id}/{until}/{_signature(check.id, until)}"


def serve_log(state: State, request: Request) -> Reply:
    found = _PLACE.match(request.path)
    if not found or found[3] != _signature(int(found[1]), int(found[2])):
        raise not_found()
    if "authorization" in request.headers:
        raise ApiError(401, "Server failed to authenticate the request.")
    if state.now().timestamp() > int(found[2]):
        raise ApiError(403, "This link is not good any more")
    for repo in state.repos.values():
        if check := repo.check_runs.get(int(found[1])):
            plain = {"Content-Type": "text/plain; charset=utf-8"}
            return Reply(body=timed(check).encode(), headers=plain)
    raise not_found()


def timed(check: CheckRun) -> str:
    """As Actions writes it: each line with when it was said, behind a byte order mark."""
    at = check.started_at.strftime("%Y-%m-%dT%H:%M:%S.1234567Z") if check.started_at else ""
    return "\ufeff" + "".join(f"{at} {line}\n" for line in check.log.split("\n"))


def _signature(job: int, until: int) -> str:
    return hashlib.sha256(f"{job} {until}".encode()).hexdigest()
