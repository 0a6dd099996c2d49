"""Asking the host a worker lives on: what only its disk knows, and what only it can do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from pydantic import Field

import cw
from cw.errors import BadInputError, UnavailableError
from cw.fleet_models import Host
from cw.models import Model
from cw.names import TASK_PATTERN, WORKER_PATTERN
from cw.operations.fleet.lookup import need_worker
from cw.store.store import Store

Verb = Literal["look", "log", "diff", "todos", "history", "refresh", "remove"]
Send = Callable[[str, dict[str, Any], float], None]  # host, request, seconds until it expires

PAGE_BYTES = 256 * 1024
_PATIENCE_SECONDS = 8.0


class Ask(Model):
    """One question. Names a worker, never a path."""

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    verb: Verb
    worker: str = Field("", pattern=f"^$|{WORKER_PATTERN}")
    task: str = Field("", pattern=f"^$|{TASK_PATTERN}")
    offset: int = Field(0, ge=0)  # where the page starts: bytes of a log, or archives to pass
    limit: int = Field(PAGE_BYTES, ge=0)
    attempt: int = Field(0, ge=0)  # whose log; 0: the newest


class HostSilentError(UnavailableError):
    """The worker's host is not up, or does not answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of what a worker's disk holds. See `Ask`."""

    task: str = ""
    offset: int = 0
    attempt: int = 0


_FIRST = Part()


def ask(
    store: Store, send: Send, verb: Verb, worker: str, *, part: Part = _FIRST
) -> dict[str, Any]:
    """The host's answer. Raises BadInputError for an unknown worker, HostSilentError, and what the
    host itself refused.
    """
    found = need_worker(store, worker)
    given = {"verb": verb, "worker": worker, **asdict(part)}
    request = Ask.model_validate({"id": uuid.uuid4().hex, **given})
    return ask_host(store, send, found.host, request)


def ask_host(store: Store, send: Send, host: str, request: Ask) -> dict[str, Any]:
    asked, now = datetime.now(UTC), store.tasks.now()
    found = next(
        (known for known in store.fleet.hosts() if known.name == host and known.up(now)), None
    )
    if found is None:
        raise HostSilentError(f"host {host or '(none)'} is not up", hint="Start it there: cw up")
    # Only what was said: an older host refuses a field that it does not know.
    send(host, request.model_dump(exclude_defaults=True), _PATIENCE_SECONDS)
    answer = store.replies.wait(request.id, _PATIENCE_SECONDS, partial(store.replies.slow, host))
    if answer is None:
        ours = (asked - now).total_seconds()
        said = f"host {host} is up, but did not answer within {_PATIENCE_SECONDS:.0f} s"
        raise HostSilentError(said, hint=what_to_do(found, ours))
    if "error" in answer:
        raise BadInputError(str(answer["error"]))
    return answer


def what_to_do(host: Host, ours: float = 0.0) -> str:
    """A host drops a question that its version does not know, or that has expired by its clock.
    `ours`: seconds by which the clock here is ahead of the broker's.
    """
    ahead = host.clock_ms / 1000 - ours
    if ahead > _PATIENCE_SECONDS:
        return (
            f"Its clock is {ahead:.0f} s ahead of the one here, so that questions have expired when"
            " they reach it. cw hosts shows each clock against the broker's"
        )
    if host.version in {"", cw.__version__}:
        return "cw doctor, on that machine"
    return f"It has cw {host.version}, here is {cw.__version__}; the older one needs: cw update"
