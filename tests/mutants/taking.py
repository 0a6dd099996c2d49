"""Guards at what is taken up: an issue by a dispatch or a pass, a message by a host."""

from __future__ import annotations

from typing import Any

from cw.broker import signed_transport
from cw.operations.assignment import assign
from cw.operations.dispatch import dispatching
from tests.mutants import Mutant


def _never_blocked() -> None:
    dispatching.BLOCKED_LABEL = "\0"  # type: ignore[attr-defined]


def _no_cap_on_refusals() -> None:
    assign._REFUSALS = 1 << 30


def _without_destination(*, fanout: bool) -> None:
    refusal = signed_transport.refusal

    def mild(keyring: Any, message: Any, queue: str, now: float, **more: Any) -> str | None:
        said = refusal(keyring, message, queue, now, **more)
        moved = said is not None and said.startswith("it was sent to")
        return None if moved and bool(more.get("fanout")) is fanout else said

    signed_transport.refusal = mild


MUTANTS = {
    "dispatch does not look at blocked": Mutant(
        "tests/integration/test_dispatch_github.py"
        "::test_blocked_issue_is_refused_and_nothing_is_left_behind",
        _never_blocked,
    ),
    "assign asks a repository that refuses for ever": Mutant(
        "tests/integration/test_assign.py"
        "::test_repository_that_refuses_is_left_alone_for_the_pass_and_others_are_not",
        _no_cap_on_refusals,
    ),
    "signed message is believed in any queue": Mutant(
        "tests/unit/test_wire.py::test_signed_message_is_believed_where_it_was_sent_to_only",
        lambda: _without_destination(fanout=False),
    ),
    "signed broadcast is believed from any exchange": Mutant(
        "tests/unit/test_wire.py::test_signed_message_is_believed_where_it_was_sent_to_only",
        lambda: _without_destination(fanout=True),
    ),
}
