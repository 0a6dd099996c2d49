"""What a host tries of its libraries before it begins."""

from __future__ import annotations

from unittest.mock import patch

from tests.mutants import Mutant
from workerhost import self_checks

_TEST = "tests/integration/test_guards.py::test_guard_that_a_library_switched_off_is_named"


def _no_messages() -> None:
    patch.object(self_checks, "_messages", lambda *_: "").start()


def _no_broadcasts() -> None:
    patch.object(self_checks, "_broadcasts", lambda *_: "").start()


def _no_replays() -> None:
    patch.object(self_checks, "_replays", lambda *_: "").start()


MUTANTS = {
    "guards-no-messages": Mutant(f"{_TEST}[kombu delivers another way]", _no_messages),
    "guards-no-broadcasts": Mutant(f"{_TEST}[kombu hears broadcasts another way]", _no_broadcasts),
    "guards-no-replays": Mutant(f"{_TEST}[nonces are not remembered]", _no_replays),
}
