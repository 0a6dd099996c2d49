"""What a run may still cost: its own ceiling, and what its task's earlier runs have left. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cw.errors import OverBudgetError
from cw.models import Task
from cw.settings import Settings


@dataclass(frozen=True, slots=True)
class Budget:
    """For one run. 0: no limit."""

    usd: float = 0.0
    turns: int = 0


def left(settings: Settings, task: Task) -> Budget:
    """Raises OverBudgetError when its earlier runs left nothing."""
    usd, turns = settings.task_max_usd - task.spent_usd, settings.task_max_turns - task.spent_turns
    if settings.task_max_usd and usd <= 0:
        raise _over(f"{task.spent_usd:.2f} dollars", f"{settings.task_max_usd:g}", "usd")
    if settings.task_max_turns and turns <= 0:
        raise _over(f"{task.spent_turns} turns", str(settings.task_max_turns), "turns")
    return Budget(
        usd=_lower(settings.run_max_usd, usd if settings.task_max_usd else 0.0),
        turns=int(_lower(settings.run_max_turns, turns if settings.task_max_turns else 0)),
    )


def _lower(one: float, other: float) -> float:
    """Of two ceilings, of which 0 is none."""
    return min(one, other) if one and other else one or other


def _over(spent: str, most: str, what: str) -> OverBudgetError:
    return OverBudgetError(
        f"the task's runs took {spent} together, and it may take {most}",
        hint=f"Raise CW_TASK_MAX_{what.upper()} on the host, then: cw restart",
    )
