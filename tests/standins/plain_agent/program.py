"""What `cw` knows of it. Its log has one line a fact, with tabs between the words of it:

hello VERSION MODEL SESSION · turn DOLLARS · said TEXT · did WHAT · list STATE:SUBJECT…
sorry busy SECONDS TEXT · sorry quota EPOCH TEXT · sorry login TEXT · bye ok|bad TURNS DOLLARS TEXT
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cw.errors import BadInputError

if TYPE_CHECKING:
    from cw.models import Event
    from cw.programs.program import AgentProgram

MODELS = ("plain-1", "plain-2")
_STATES = {"open": "pending", "done": "completed"}


@dataclass(frozen=True, slots=True)
class Plain:
    name: str = "plain"
    host: str = "plain_agent.runner:PLAIN"
    logins: tuple[str, ...] = ()
    models: tuple[str, ...] = MODELS
    todo_marks: tuple[bytes, ...] = (b"list\t",)

    def model(self, text: str) -> str:
        if text in MODELS:
            return text
        raise BadInputError(f"{text!r} is not a model of plain", hint=f"Use {', '.join(MODELS)}")

    def apis(self, env: Mapping[str, str]) -> tuple[str, ...]:
        return (env.get("PLAIN_API", ""),)

    def events(self, line: bytes, offset: int, at: datetime) -> list[Event]:
        from cw.models import Event

        kind, text, data = _told(line.decode("utf-8", "replace").rstrip("\n").split("\t"))
        return [Event(at=at, kind=kind, text=text, offset=offset, data=data)] if kind else []


def _told(words: list[str]) -> tuple[str, str, dict[str, Any]]:
    match words:
        case ["hello", version, model, *_]:
            return "init", f"{version}, {model}", {}
        case ["said", text]:
            return "text", text, {}
        case ["did", what]:
            return "tool", what, {"tool": "shell"}
        case ["list", *points]:
            pairs = [one.split(":", 1) for one in points]
            rows = [{"content": text, "status": _STATES[state]} for state, text in pairs]
            given = {"tool": "TodoWrite", "input": {"todos": rows}}
            return "todo", f"{len(points)} to do", given
        case ["sorry", *_, text]:
            return "retry", text, {}
        case ["bye", how, turns, dollars, text]:
            totals = {"turns": int(turns), "cost_usd": float(dollars)}
            return "end", text, {"is_error": how != "ok"} | totals
        case ["turn", _] | [""]:
            return "", "", {}
        case _:
            return "note", "\t".join(words), {}


PLAIN: AgentProgram = Plain()
