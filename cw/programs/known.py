"""Which agent programs there are: ours, and those of packages that are installed beside cw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cw.errors import CwError
from cw.registered import Registry
from cw.transcript.loglines import as_text

if TYPE_CHECKING:
    from cw.models import Event
    from cw.programs.program import AgentProgram
    from cw.settings import Settings

    Reader = Callable[[bytes, int, datetime], list[Event]]

PROGRAMS = Registry(
    what="agent program",
    setting="agent",
    variable="CW_AGENT_PROGRAM",
    built_in={"claude": "cw.claude.program:CLAUDE"},
    group="cw.agents",
)


def program_of(settings: Settings) -> AgentProgram:
    """The one that agents are here. Raises BadInputError, or CwError when it does not load."""
    return program_named(settings.agent_program)


@lru_cache
def program_named(name: str) -> AgentProgram:
    """The same by name."""
    found: AgentProgram = PROGRAMS.load(name)
    return found


def reader(name: str) -> Reader:
    """How a log is read that a run of before wrote; as plain text when its program is gone."""
    try:
        return program_named(name).events
    except CwError:
        return as_text
