"""Git LFS: the batch API with basic transfer, as git-lfs documents it (docs/api/batch.md and
docs/api/basic-transfers.md of git-lfs/git-lfs).
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .access import Viewer
from .model import Repo
from .state import State
from .wire import ApiError, Reply, Request

LFS_PATH = re.compile(
    r"^/([^/]+)/([^/]+?)(?:\.git)?/info/lfs/(objects/batch|storage/([0-9a-f]{64}))$"
)
_TYPE = {"Content-Type": "application/vnd.git-lfs+json"}


def is_lfs(request: Request) -> bool:
    return bool(LFS_PATH.match(unquote(request.path)))


def serve_lfs(state: State, viewer: Viewer, request: Request) -> Reply:
    found = LFS_PATH.match(unquote(request.path))
    assert found
    owner, name, what, oid = found.groups()
    with state.lock:
        repo = state.repos.get(f"{owner}/{name}".lower())
    if not viewer.login:
        raise ApiError(
            401, "Credentials needed", headers={"LFS-Authenticate": 'Basic realm="GitHub"'}
        )
    if repo is None or not viewer.may(repo, "read", "contents"):
        raise ApiError(404, "Not Found")
    if what == "objects/batch":
        return _batch(viewer, repo, request)
    return _transfer(repo, oid, request)


def stored(repo: Repo, oid: str) -> Path:
    return Path(repo.path) / "lfs" / oid


def _batch(viewer: Viewer, repo: Repo, request: Request) -> Reply:
    asked = json.loads(request.body)
    upload = asked["operation"] == "upload"
    if upload and not viewer.may(repo, "write", "contents"):
        raise ApiError(403, "You must have push access")
    base = f"{request.api_base}{request.path.removesuffix('objects/batch')}storage/"
    auth = {"Authorization": request.headers.get("authorization", "")}
    rows = [_row(repo, one, base, auth, upload=upload) for one in asked["objects"]]
    body = json.dumps({"transfer": "basic", "objects": rows}).encode()
    return Reply(status=200, body=body, headers=_TYPE)


def _row(
    repo: Repo, one: dict[str, Any], base: str, auth: dict[str, str], *, upload: bool
) -> dict[str, Any]:
    there = stored(repo, one["oid"]).is_file()
    row: dict[str, Any] = {"oid": one["oid"], "size": one["size"], "authenticated": True}
    action = {"href": f"{base}{one['oid']}", "header": auth}
    if upload and not there:
        row["actions"] = {"upload": action}
    elif not upload and there:
        row["actions"] = {"download": action}
    elif not upload:
        row["error"] = {"code": 404, "message": "Object does not exist"}
    return row


def _transfer(repo: Repo, oid: str, request: Request) -> Reply:
    path = stored(repo, oid)
    if request.method == "PUT":
        if hashlib.sha256(request.body).hexdigest() != oid:
            raise ApiError(422, "Not what its name says")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(request.body)
        return Reply(status=200, body=b"", headers={"Content-Type": "text/plain"})
    if not path.is_file():
        raise ApiError(404, "Object does not exist")
    kind = {"Content-Type": "application/octet-stream"}
    return Reply(status=200, body=path.read_bytes(), headers=kind)
