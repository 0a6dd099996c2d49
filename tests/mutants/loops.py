"""Guards at agents that go round in circles, and at those that do not."""

from __future__ import annotations

from tests.mutants import Mutant
from workerhost.claude import acts
from workerhost.programs.loops import Loops

_UNIT = "tests/unit/test_loops.py::"


def _nothing_is_found() -> None:
    Loops.found = property(lambda _: None)  # type: ignore[assignment,method-assign]


def _nothing_waits() -> None:
    acts._waits = lambda *_: False


def _nothing_only_looks() -> None:
    acts._looks = lambda command: False  # noqa: ARG005


MUTANTS = {
    "agents go round in circles": Mutant(
        "tests/integration/test_loops.py"
        "::test_agent_that_was_stopped_goes_on_in_its_session_and_is_judged_anew",
        _nothing_is_found,
    ),
    "waiting is a circle": Mutant(
        f"{_UNIT}test_work_is_no_circle[it waits for CI]", _nothing_waits
    ),
    "searching is a change": Mutant(
        f"{_UNIT}test_circle_is_found[it searches for ever]", _nothing_only_looks
    ),
}
