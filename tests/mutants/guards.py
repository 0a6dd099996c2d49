"""The self-checks of a host, and what they look at."""

from __future__ import annotations

from cw import wire
from tests.mutants import Mutant
from workerhost.guards import guarded


def messages_unbound() -> None:
    """As with a kombu that calls its own method by another name."""
    del wire.Transport._deliver


def no_look() -> None:
    """A host that does not ask."""
    guarded.Guarded.look = lambda self: None  # type: ignore[method-assign]  # noqa: ARG005


MUTANTS = {
    "messages-unbound": Mutant(
        "tests/integration/test_guards.py::test_guards_hold_and_leave_nothing_behind",
        messages_unbound,
    ),
    "guards-not-asked": Mutant(
        "tests/integration/test_guards.py::test_broker_that_is_away_is_no_proof", no_look
    ),
}
