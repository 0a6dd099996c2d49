"""What a run may still take, after what its task's earlier runs have."""

from __future__ import annotations

import pytest

from cw.budgets.ceilings import NONE, Amount
from cw.errors import OverBudgetError
from cw.settings import Settings
from cw.states import State
from tests.making import make_spec, make_task
from workerhost.runs import budget


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
    ceiling = budget.ceiling(settings, record.spec)

    left = budget.left(ceiling, budget.spent(record), "T")

    told = budget.of_a_run(settings, left)
    assert (told.usd, told.turns) == (may, may)


def test_what_a_task_was_given_counts_more_than_the_host_s_settings() -> None:
    settings = Settings(task_max_usd=5, task_max_turns=7, task_max_minutes=2)
    spec = make_spec().within(Amount(usd=50.0))

    assert budget.ceiling(settings, spec) == Amount(50.0, 7, 120.0)
    assert budget.ceiling(Settings(task_max_usd=0, task_max_turns=0), make_spec()).usd == 0


@pytest.mark.parametrize(
    ("took", "says"),
    [
        (
            Amount(usd=5.0),
            "5.00 dollars, and may take 5. It goes on with more: cw restart T --max-usd 10",
        ),
        (Amount(usd=5.2), "5.20 dollars"),
        (Amount(turns=7), "cw restart T --max-turns 14"),
        (
            Amount(s=121),
            "2 minutes, and may take 2. It goes on with more: cw restart T --max-minutes 4",
        ),
    ],
)
def test_task_that_has_used_it_up_gets_no_run(took: Amount, says: str) -> None:
    with pytest.raises(OverBudgetError) as error:
        budget.left(Amount(5.0, 7, 120.0), took, "T")

    assert says in error.value.line()


def test_task_without_a_ceiling_always_gets_one() -> None:
    assert budget.left(NONE, Amount(1e6, 10**6, 1e6), "T") == NONE
