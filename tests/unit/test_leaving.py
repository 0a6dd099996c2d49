"""What a host's threads see when it is told to stop, once and again."""

from __future__ import annotations

import pytest

from workerhost.shutdown import Leaving


def seen(leaving: Leaving) -> tuple[bool, bool, bool]:
    return leaving.closing.is_set(), leaving.interrupt.is_set(), leaving.detach.is_set()


@pytest.mark.parametrize(
    ("on_stop", "first", "second"),
    [
        ("detach", (True, False, True), (True, False, True)),  # runs are safe from a second signal
        ("interrupt", (True, True, True), (True, True, True)),
        ("drain", (True, False, False), (True, True, True)),
    ],
)
def test_signals_do_what_was_chosen(
    on_stop: str, first: tuple[bool, ...], second: tuple[bool, ...]
) -> None:
    leaving = Leaving(on_stop)
    assert seen(leaving) == (False, False, False)

    leaving.asked()
    assert seen(leaving) == first
    leaving.asked()
    assert seen(leaving) == second


@pytest.mark.parametrize("on_stop", ["detach", "interrupt", "drain"])
def test_host_that_leaves_by_itself_leaves_its_runs_alone(on_stop: str) -> None:
    leaving = Leaving(on_stop)

    leaving.now()
    leaving.asked()

    assert seen(leaving) == (True, False, True)
