"""The thread in which a host does what it does every few seconds."""

from __future__ import annotations

from typing import Any

from workerhost.tick_thread import TickThread


def test_host_that_is_stopped_before_it_began_can_say_goodbye() -> None:
    nothing: Any = None

    ticks = TickThread(nothing, nothing, nothing, nothing, nothing)
    ticks.join()  # of a thread that was never started raises

    assert not ticks.deaf
