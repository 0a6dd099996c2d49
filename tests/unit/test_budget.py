"""What a run may still cost, after what its task's earlier runs have."""

from __future__ import annotations

from typing import Any

import pytest

from cw.errors import OverBudgetError
from cw.settings import Settings
from cw.states import State
from tests.making import make_task
from workerhost.runs.budget import Budget, left


@pytest.mark.parametrize(
    ("run", "task", "spent", "may"),
    [
        (0, 0, 99, 0),  # no limit at all
        (5, 0, 99, 5),
        (0, 5, 2, 3),
        (5, 5, 2, 3),
        (1, 5, 2, 1),
        (5, 5, 0, 5),
    ],
)
def test_lower_of_both_ceilings_counts(run: int, task: int, spent: int, may: int) -> None:
    settings = Settings(run_max_usd=run, task_max_usd=task, run_max_turns=run, task_max_turns=task)
    record = make_task(State.RUNNING, spent_usd=spent, spent_turns=spent)

    assert left(settings, record) == Budget(usd=may, turns=may)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"spent_usd": 5.0}, "CW_TASK_MAX_USD"),
        ({"spent_usd": 5.2}, "5.20 dollars"),
        ({"spent_turns": 7}, "CW_TASK_MAX_TURNS"),
    ],
)
def test_task_that_has_used_it_up_gets_no_run(changed: dict[str, Any], says: str) -> None:
    settings = Settings(task_max_usd=5, task_max_turns=7)

    with pytest.raises(OverBudgetError) as error:
        left(settings, make_task(State.RUNNING, **changed))

    assert says in error.value.line()
