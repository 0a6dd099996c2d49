"""What `cw` asks an agent program. How a host runs it: `workerhost.programs.runner`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from cw.models import Event


class AgentProgram(Protocol):
    """One program that can be an agent. Loaded at each `cw`, so it imports little."""

    @property
    def name(self) -> str:
        """As the setting `agent`, a run's journal and the audit file have it."""

    @property
    def host(self) -> str:
        """`package.module:object` of its `workerhost.programs.runner.Runner`, for hosts alone."""

    @property
    def logins(self) -> tuple[str, ...]:
        """Variables of which each lets it log in; the first that is set counts."""

    @property
    def models(self) -> tuple[str, ...]:
        """Words that a shell offers for `-m`."""

    @property
    def todo_marks(self) -> tuple[bytes, ...]:
        """A line of its log without any of them says nothing of a to-do list."""

    def model(self, text: str) -> str:
        """A model as typed. Raises BadInputError."""

    def apis(self, env: Mapping[str, str]) -> tuple[str, ...]:
        """URLs that it has to reach itself, in the environment of its agents."""

    def events(self, line: bytes, offset: int, at: datetime) -> list[Event]:
        """What one line of its log says, for people. `offset` is where the next line starts.

        Of what an event has beside its text, `cw todos` reads `kind="todo"` with `data={"tool":
        "TodoWrite", "input": {"todos": [{"content": …, "status": …}]}}` as the whole list. Raises
        nothing: agents can write to their own log.
        """
