"""What may arrive at a host beyond being signed: known tasks with fitting arguments, and control
commands that only look or stop.
"""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from cw.broker.app import (
    ASK_TASK,
    ASSIGN_TASK,
    PULLS_TASK,
    RECONCILE_TASK,
    RUN_TASK,
    SWEEP_TASK,
)
from cw.broker.signed_transport import CONTROL
from cw.models import Model
from cw.names import TASK_PATTERN
from cw.operations.fleet.ask import Ask

_PIDBOX = f".{CONTROL}"

# What Flower and `celery inspect` read, and what ends tasks. Celery's others would add queues and
# threads, change limits, or end the host.
CONTROLS = frozenset(
    {
        "active",
        "active_queues",
        "conf",
        "enable_events",
        "heartbeat",
        "ping",
        "query_task",
        "registered",
        "report",
        "reserved",
        "revoke",
        "revoked",
        "scheduled",
        "stats",
        "terminate",
    }
)


class _Embedded(Model):
    """What Celery sends along. Nothing is called afterwards, whatever it says."""

    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


class _NoOptions(Model):
    """Tasks have positional arguments only."""


_TaskId = Annotated[str, Field(pattern=TASK_PATTERN)]
_Body = tuple[tuple[_TaskId], _NoOptions, _Embedded]
_NO_ARGUMENTS: TypeAdapter[Any] = TypeAdapter(tuple[tuple[()], _NoOptions, _Embedded])
_BODIES: dict[str, TypeAdapter[Any]] = {
    RUN_TASK: TypeAdapter(_Body),
    ASK_TASK: TypeAdapter(tuple[tuple[Ask], _NoOptions, _Embedded]),
    SWEEP_TASK: _NO_ARGUMENTS,
    ASSIGN_TASK: _NO_ARGUMENTS,
    RECONCILE_TASK: _NO_ARGUMENTS,
    PULLS_TASK: _NO_ARGUMENTS,
}


class _Control(Model):
    """A command as kombu sends it."""

    method: str
    arguments: dict[str, Any] | None = None
    destination: list[str] | None = None
    pattern: str | None = None
    matcher: Literal["glob", "pcre"] | None = None
    ticket: str | None = None
    reply_to: dict[str, str] | None = None


def is_control(queue: str) -> bool:
    return queue.endswith(_PIDBOX)


def admit(message: dict[str, Any], queue: str) -> str:
    """Why a signed message is refused all the same; empty when it is not."""
    try:
        body = json.loads(base64.b64decode(message["body"], validate=True))
        if is_control(queue):
            command = _Control.model_validate(body)
            return "" if command.method in CONTROLS else f"{command.method} is no command here"
        name = str(message["headers"].get("task"))
        if name not in _BODIES:
            return f"there is no task {name}"
        _BODIES[name].validate_python(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"it is not of the known form ({'.'.join(map(str, first['loc']))}: {first['msg']})"
    except (ValueError, RecursionError):
        return "its body is not JSON"
    return ""
