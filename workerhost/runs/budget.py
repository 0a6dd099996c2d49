"""What a run may still take: its own ceiling, and what its task's earlier runs have left. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cw.budgets.ceilings import MINUTE, OPTIONS, Amount, parse
from cw.budgets.scopes import Level
from cw.errors import OverBudgetError
from cw.models import Task, TaskSpec
from cw.settings import Settings

_MORE = 2  # times as much is proposed


def shared(settings: Settings) -> Mapping[Level, Amount]:
    """Ceilings that runs share."""
    return {level: parse(getattr(settings, f"budget_{level}")) for level in Level}


def ceiling(settings: Settings, spec: TaskSpec) -> Amount:
    """Of a task: its own, else as this host's settings say."""
    return spec.ceiling.instead(settings.task_ceiling)


def spent(task: Task) -> Amount:
    """By its runs that have ended; at a pull request of another task also by all before it."""
    took, before = Amount(task.spent_usd, task.spent_turns, task.spent_s), task.spec.of_pull
    if before is None:
        return took
    return took.plus(Amount(before.spent_usd, before.spent_turns, before.spent_s))


def left(most: Amount, took: Amount, task_id: str) -> Amount:
    """Of a task's ceiling. Raises OverBudgetError when its earlier runs left nothing."""
    if unit := most.met_by(took):
        raise used_up(most, took, unit, task_id)
    return Amount(
        most.usd and most.usd - took.usd,
        most.turns and most.turns - took.turns,
        most.s and most.s - took.s,
    )


def of_a_run(settings: Settings, task_left: Amount) -> Amount:
    """What the agent program itself is told to keep to: the lower of both."""
    return Amount(settings.run_max_usd, settings.run_max_turns).under(task_left)


def used_up(most: Amount, took: Amount, unit: str, task_id: str) -> OverBudgetError:
    """With what is typed so that the task goes on."""
    said = {
        "usd": f"{took.usd:.2f} dollars, and may take {most.usd:g}",
        "turns": f"{took.turns} turns, and may take {most.turns}",
        "s": f"{took.s / MINUTE:.0f} minutes, and may take {most.s / MINUTE:g}",
    }
    more = {"usd": most.usd, "turns": most.turns, "s": most.s / MINUTE}[unit] * _MORE
    hint = f"It goes on with more: cw restart {task_id} {OPTIONS[unit]} {more:g}"
    return OverBudgetError(f"the task has taken {said[unit]}", hint=hint)
