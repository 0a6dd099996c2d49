"""Which agent programs there are: ours, and those of packages that are installed beside cw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from cw.errors import BadInputError, CwError
from cw.transcript.loglines import as_text

if TYPE_CHECKING:
    from cw.models import Event
    from cw.programs.program import AgentProgram
    from cw.settings import Settings

    Reader = Callable[[bytes, int, datetime], list[Event]]

BUILT_IN = {"claude": "cw.claude.program:CLAUDE"}
GROUP = "cw.agents"  # of entry points, each an AgentProgram by its name


def program_of(settings: Settings) -> AgentProgram:
    """The one that agents are here. Raises BadInputError, or CwError when it does not load."""
    return program_named(settings.agent_program)


@lru_cache
def program_named(name: str) -> AgentProgram:
    """The same by name."""
    where = BUILT_IN.get(name) or _outside(name)
    try:
        found: AgentProgram = resolve_name(where)
    except (ImportError, AttributeError, ValueError) as error:
        raise CwError(
            f"the agent program {name} cannot be loaded: {error}",
            hint="Install its package again, or set CW_AGENT_PROGRAM to one of"
            f" {', '.join(BUILT_IN)}",
        ) from error
    return found


def reader(name: str) -> Reader:
    """How a log is read that a run of before wrote; as plain text when its program is gone."""
    try:
        return program_named(name).events
    except CwError:
        return as_text


def _outside(name: str) -> str:
    """Only asked for what is not ours: to look through what is installed takes its time."""
    from importlib.metadata import entry_points

    found = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted({*BUILT_IN, *found}))
        raise BadInputError(f"agent: {name!r} is no agent program here", hint=f"Known: {known}")
    return found[name]
