"""Guards that pause what fails again and again, and nothing else."""

from __future__ import annotations

from typing import Any

from cw.store.breakers import BreakerStore
from cw.store.lease_values import Grant, Refusal
from cw.store.leases import Leases
from tests.mutants import Mutant
from workerhost.runs import same_failures

_STORE = "tests/integration/test_store_breakers.py::"
_HOST = "tests/integration/test_same_failures.py::"


def _nobody_is_blamed() -> None:
    same_failures.culprit = lambda *_: None  # type: ignore[attr-defined]


def _all_that_fails_counts() -> None:
    same_failures.counts = lambda outcome, _: outcome.kind != "succeeded"  # type: ignore[assignment,attr-defined]


def _leases_ask_no_repository() -> None:
    acquire = Leases.acquire

    def ask_nothing(leases: Leases, task_id: str, **more: Any) -> Grant | Refusal:
        return acquire(leases, task_id, **more | {"place": ""})

    Leases.acquire = ask_nothing  # type: ignore[method-assign,assignment]


def _success_ends_nothing() -> None:
    BreakerStore.succeeded = lambda *_: None  # type: ignore[method-assign]


MUTANTS = {
    "a repository may fail for ever": Mutant(
        f"{_HOST}test_repository_that_fails_with_several_is_held_until_somebody_resumes_it",
        _nobody_is_blamed,
    ),
    "a task that asks a person counts as its repository's failure": Mutant(
        f"{_HOST}test_success_between_them_and_what_is_the_task_s_own_pause_nothing",
        _all_that_fails_counts,
    ),
    "leases are given for repositories that are held": Mutant(
        f"{_STORE}test_nothing_starts_of_what_is_held", _leases_ask_no_repository
    ),
    "successes between failures are not seen": Mutant(
        f"{_STORE}test_success_ends_what_it_has_in_common", _success_ends_nothing
    ),
}
