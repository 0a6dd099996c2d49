"""Guards at accounts, their limits, and what a task may cost."""

from __future__ import annotations

from cw.accounts.holds import Account
from cw.budgets.ceilings import NONE
from cw.operations.assignment import assign
from cw.operations.fleet.accounts import everything
from cw.store import leases
from cw.store.budgets import BudgetStore
from tests.mutants import Mutant
from workerhost.runs import account_listener, budget
from workerhost.runs.meter import Meter

_STORE = "tests/integration/test_store_budgets.py::"
_LISTENER = "tests/integration/test_account_listener.py::"


def _each_run_anew() -> None:
    budget.spent = lambda task: NONE  # noqa: ARG005


def _nothing_is_kept() -> None:
    account_listener.reserved = lambda *_: None  # type: ignore[attr-defined]


def _accounts_are_not_looked_at() -> None:
    assign.taking_model = lambda *_: everything  # type: ignore[attr-defined]


def _always_open() -> None:
    Account.closed = lambda *_: ""  # type: ignore[method-assign]


def _nothing_is_reserved() -> None:
    leases.scopes_json = lambda scopes: "[]"  # type: ignore[attr-defined]  # noqa: ARG005


def _every_turn_is_granted() -> None:
    BudgetStore.draw = lambda *_: None  # type: ignore[method-assign]


def _host_ends_no_run() -> None:
    Meter.look = lambda *_: None  # type: ignore[method-assign]


MUTANTS = {
    "runs that begin at once reserve nothing of what they share": Mutant(
        f"{_STORE}test_fifty_that_begin_at_once_reserve_no_more_than_there_is",
        _nothing_is_reserved,
    ),
    "each turn below a shared ceiling is granted": Mutant(
        "tests/integration/test_meter.py"
        "::test_run_is_ended_before_a_turn_that_does_not_fit_below_a_shared_ceiling",
        _every_turn_is_granted,
    ),
    "the host ends no run for what it takes": Mutant(
        "tests/integration/test_limits.py::"
        "test_task_gets_no_more_over_all_its_runs_until_it_is_given_more[CW_TASK_MAX_MINUTES-0.05-"
        "--max-minutes 0.1-10]",
        _host_ends_no_run,
    ),
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
