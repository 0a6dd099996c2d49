"""claude as an agent program. See `cw.programs.program`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cw.claude.models import MODEL_WORDS, model_name
from cw.token_names import MODEL_LOGINS

if TYPE_CHECKING:
    from cw.models import Event
    from cw.programs.program import AgentProgram

_APIS = (
    "https://api.anthropic.com",
    "https://console.anthropic.com",
    "https://platform.claude.com",
)


@dataclass(frozen=True, slots=True)
class Claude:
    name: str = "claude"
    host: str = "workerhost.claude.runner:CLAUDE"
    logins: tuple[str, ...] = MODEL_LOGINS
    models: tuple[str, ...] = MODEL_WORDS
    todo_marks: tuple[bytes, ...] = (b'"Task', b'"TodoWrite"', b"Task #")

    def model(self, text: str) -> str:
        return model_name(text)

    def apis(self, env: Mapping[str, str]) -> tuple[str, ...]:
        return (*_APIS, env.get("ANTHROPIC_BASE_URL", ""))

    def events(self, line: bytes, offset: int, at: datetime) -> list[Event]:
        from cw.claude.events import parse_line  # which `cw dispatch` needs nothing of

        return parse_line(line, offset, at)


CLAUDE: AgentProgram = Claude()
