"""Answers of GitHub that are none, and ways to it that fail for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.chaos.load import APP, MOVED
from tests.standins.github import GitHubStandIn
from tests.standins.github.tunnels import TROUBLES, Trouble

if TYPE_CHECKING:
    from bench.chaos.faults import Faults

# Somebody has to mend these: a host is right to give up.
_FINAL: set[Trouble] = {"refused", "expired", "another name", "unknown authority"}
_PASSING = tuple(one for one in TROUBLES if one not in _FINAL)
_MOST_TUNNELS = 3
_REFUSED_SECONDS = 2.0
_MOVED_SECONDS = 4.0
_PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_WRITES = "labels|comments|pulls"
_FOUND_AGAIN = "comments|pulls"  # what a host has to find when the answer to its write was lost
# Method, path, status, body, each n-th. Where an answer of 200 was a lie, nothing was done.
_ODD: tuple[tuple[str, str, int, object, int], ...] = (
    ("GET", "issues|pulls", 200, _PAGE, 13),
    ("GET", "issues|pulls", 403, _PAGE, 17),
    ("GET", "issues|pulls", 200, {"odd": 1}, 19),
    ("GET", "issues|pulls", 200, ["odd"], 23),
    ("GET", "issues|pulls", 200, "odd", 29),
    ("GET", "issues|pulls", 200, [{"number": "x"}], 31),
    ("POST", "labels", 200, _PAGE, 13),
    ("POST", "labels", 200, {"odd": 1}, 17),
    ("POST", _FOUND_AGAIN, 200, _PAGE, 9),
    ("POST", _FOUND_AGAIN, 201, ["odd"], 11),
    ("POST", _WRITES, 403, _PAGE, 17),
    ("DELETE", "labels", 403, _PAGE, 11),
)


def trouble_github(hub: GitHubStandIn) -> None:
    """Now and then it fails before or after it did what was asked, asks for patience, or somebody
    else answers in its place; all the time.
    """
    hub.fault(method="POST", path_regex=_WRITES, status=502, times=None, every=7)
    hub.fault(method="DELETE", status=502, times=None, every=5, after_effect=True)
    hub.fault(method="GET", path_regex="issues", status=503, times=None, every=11)
    hub.fault(operation="Reply", status=502, times=None, every=2, after_effect=True)
    hub.secondary_limit(retry_after=1, times=2, method="POST")
    for method, path, status, body, every in _ODD:
        headers = _HTML if body is _PAGE else {}
        hub.fault(
            method=method,
            path_regex=path,
            status=status,
            body=body,
            headers=headers,
            times=None,
            every=every,
            after_effect=path == _FOUND_AGAIN and status < 300,
        )


def spoil_tunnels(faults: Faults) -> str:
    """The next ones, to git over https."""
    kind, times = faults.dice.choice(_PASSING), faults.dice.randint(1, _MOST_TUNNELS)
    faults.fleet.hub.trouble(kind, times=times)
    return "git over https"


def refuse_tunnels(faults: Faults) -> str:
    """Nobody listens there for a while."""
    faults.apart(faults.fleet.way.refuse, _REFUSED_SECONDS)
    return "git over https"


def rename(faults: Faults) -> str | None:
    """The repository has another name for a while: requests are sent on with 301 and 307."""
    if faults.renaming.is_set():
        return None
    faults.renaming.set()
    faults.apart(_rename, faults)
    return "repository"


def _rename(faults: Faults) -> None:
    hub = faults.fleet.hub
    hub.rename_repo(APP, MOVED)
    time.sleep(_MOVED_SECONDS)
    hub.rename_repo(MOVED, APP)
    faults.renaming.clear()
