"""Guards at accounts, their limits, and what a task may cost."""

from __future__ import annotations

from typing import Any

from cw.accounts.holds import Account
from cw.operations.assignment import assign
from cw.operations.fleet.accounts import everything
from cw.settings import Settings
from tests.mutants import Mutant
from workerhost.runs import account_listener, starting
from workerhost.runs.budget import Budget

_LISTENER = "tests/integration/test_account_listener.py::"


def _each_run_anew() -> None:
    def run_alone(settings: Settings, _task: Any) -> Budget:
        return Budget(settings.run_max_usd, settings.run_max_turns)

    starting.left = run_alone  # type: ignore[assignment,attr-defined]


def _nothing_is_kept() -> None:
    account_listener.reserved = lambda *_: None  # type: ignore[attr-defined]


def _accounts_are_not_looked_at() -> None:
    assign.taking_model = lambda *_: everything  # type: ignore[attr-defined]


def _always_open() -> None:
    Account.closed = lambda *_: ""  # type: ignore[method-assign]


MUTANTS = {
    "each run of a task may cost all of it": Mutant(
        "tests/integration/test_limits.py"
        "::test_task_gets_no_more_over_all_its_runs_until_it_is_given_more",
        _each_run_anew,
    ),
    "agents use a window up": Mutant(
        f"{_LISTENER}test_window_that_is_nearly_used_up_is_left_to_its_owner", _nothing_is_kept
    ),
    "assign gives to accounts that are held": Mutant(
        "tests/integration/test_assign.py::test_worker_whose_account_is_held_is_given_nothing",
        _accounts_are_not_looked_at,
    ),
    "the pool gives to accounts that are held": Mutant(
        "tests/unit/test_account_rules.py::test_task_that_waits_for_an_account_says_so",
        _always_open,
    ),
}
