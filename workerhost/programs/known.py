"""The host's side of agent programs, by name."""

from __future__ import annotations

import inspect
from functools import lru_cache
from pathlib import Path
from pkgutil import resolve_name

from cw.errors import CwError
from cw.programs.known import program_named
from cw.settings import Settings
from workerhost.programs.runner import Runner


def runner_of(settings: Settings) -> Runner:
    """Raises BadInputError, or CwError when it does not load."""
    return runner_named(settings.agent_program)


@lru_cache
def runner_named(name: str) -> Runner:
    """The same by name: a run goes on as the program that it began with."""
    where = program_named(name).host
    try:
        found: Runner = resolve_name(where)
    except (ImportError, AttributeError, ValueError) as error:
        raise CwError(
            f"the agent program {name} cannot be loaded: {error}",
            hint="Install its package again",
        ) from error
    return found


def folder_of(runner: Runner) -> Path:
    """Where its code lies: a change there is a change of what was proven."""
    return Path(inspect.getfile(type(runner))).parent
