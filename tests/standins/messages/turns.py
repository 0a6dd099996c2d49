"""What the scripted model says: one Turn is one answer of the Messages API."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of one answer; they make the cost of a run known beforehand."""

    input_tokens: int = 1_000
    output_tokens: int = 100
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Failure:
    """No answer of the model. It uses up no turn: once it is over, the next one is served."""

    status: int | None  # None drops the connection
    message: str = "scripted failure"
    code: str = ""  # error_code among its details
    times: int | None = None  # per conversation; None is every time
    until: float | None = None  # epoch seconds; over when they have passed


@dataclass(frozen=True, kw_only=True)
class Turn:
    blocks: tuple[Mapping[str, Any], ...] = ()
    failure: Failure | None = None
    usage: Usage = field(default_factory=Usage)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0
    gate: Event | None = None  # held back until it is set
    cut: bool = False  # at the limit of tokens

    @property
    def calls_tools(self) -> bool:
        return any(block["type"] == "tool_use" for block in self.blocks)


def text(said: str, **more: Any) -> Turn:
    return Turn(blocks=({"type": "text", "text": said},), **more)


def tool(name: str, given: Mapping[str, Any], **more: Any) -> Turn:
    return Turn(blocks=({"type": "tool_use", "name": name, "input": dict(given)},), **more)


def bash(command: str, *, background: bool = False, **more: Any) -> Turn:
    flag = {"run_in_background": True} if background else {}
    given = {"command": command, "description": "Run a command", **flag}
    return tool("Bash", given, **more)


def write(path: str, content: str, **more: Any) -> Turn:
    return tool("Write", {"file_path": path, "content": content}, **more)


def read(path: str, **more: Any) -> Turn:
    return tool("Read", {"file_path": path}, **more)


def together(*turns: Turn) -> Turn:
    """One answer with the blocks of all; the rest is taken from the first."""
    return replace(turns[0], blocks=tuple(block for turn in turns for block in turn.blocks))


def error(
    status: int,
    message: str = "scripted failure",
    *,
    code: str = "",
    headers: Mapping[str, str] | None = None,
    times: int | None = None,
) -> Turn:
    failure = Failure(status=status, message=message, code=code, times=times)
    return Turn(failure=failure, headers=dict(headers or {}))


def drop(*, times: int | None = None) -> Turn:
    return Turn(failure=Failure(status=None, times=times))


def usage_limit(resets_at: float, claim: str = "five_hour") -> Turn:
    """The subscription's limit, in force until `resets_at` (epoch seconds)."""
    failure = Failure(status=429, message="This request would exceed the limit.", until=resets_at)
    return Turn(failure=failure, headers=limit_headers("rejected", resets_at, claim))


def limit_headers(
    status: str, resets_at: float, claim: str = "five_hour", utilization: float = 1.0
) -> dict[str, str]:
    """The headers by which the API tells a subscription how much is left. A limit of one model has
    none of its own: the week's window is all models'.
    """
    window = "7d" if claim.startswith("seven_day") else "5h"
    of_model = claim in {"seven_day_opus", "seven_day_sonnet"}
    reset = str(int(resets_at))
    named = {
        "status": status,
        "reset": reset,
        "representative-claim": claim,
        f"{window}-status": "allowed" if of_model else status,
        f"{window}-reset": reset,
        f"{window}-utilization": str(0.5 if of_model else utilization),
        "overage-status": "rejected",
        "overage-disabled-reason": "org_level_disabled",
    }
    headers = {f"anthropic-ratelimit-unified-{name}": value for name, value in named.items()}
    return headers | ({"x-should-retry": "false"} if status == "rejected" else {})


def hang() -> Turn:
    """No answer until the stand-in closes."""
    return text("", gate=Event())


def slow(turn: Turn, seconds: float = 0, *, gate: Event | None = None) -> Turn:
    """The same answer later: after `seconds`, and not before the test sets `gate`."""
    return replace(turn, delay_s=seconds, gate=gate)
