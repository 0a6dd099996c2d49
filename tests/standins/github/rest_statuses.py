"""Commit statuses over REST."""

from .model import Status
from .render import Json
from .routing import Call, route
from .state import iso
from .wire import Reply


@route("GET", "/repos/{owner}/{repo}/commits/{sha}/status")
def combined_status(call: Call) -> Reply:
    """REST's "Get the combined status for a specific reference"; "Commit statuses" (read). The
    state is `pending` "if there are no statuses or a context is pending".
    """
    repo, sha = call.repo("read", "statuses"), call.params["sha"]
    found = [one for one in repo.checks.get(sha, []) if isinstance(one, Status)]
    words = {one.state for one in found}
    bad = "failure" if {"failure", "error"} & words else "pending"
    state = "success" if words == {"success"} else bad
    rows = [_status_json(one) for one in found]
    body = {"state": state, "sha": sha, "total_count": len(rows), "statuses": call.slice(rows)}
    return Reply(body=body)


def _status_json(status: Status) -> Json:
    return {
        "context": status.context,
        "state": status.state,
        "description": None,
        "target_url": None,
        "created_at": iso(status.created_at),
        "updated_at": iso(status.created_at),
    }
