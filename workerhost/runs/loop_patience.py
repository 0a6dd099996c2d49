"""How long an agent may go round in circles, by what it is to do. Pure."""

from __future__ import annotations

from cw.models import TaskSpec
from cw.settings import Settings
from cw.states import Mode
from workerhost.programs.loops import Patience


def patience(settings: Settings, task: TaskSpec) -> Patience:
    """Only of work that is proven by commits a change is expected."""
    commits = task.issue is not None or task.mode is Mode.UPDATE
    return Patience(calls=settings.run_loop_calls, turns=settings.run_idle_turns if commits else 0)
