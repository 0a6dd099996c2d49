"""When a consumer counts as deaf."""

from __future__ import annotations

import pytest

from workerhost.inbox.watchdog import Watchdog


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


@pytest.fixture
def watch(clock: list[float]) -> Watchdog:
    return Watchdog(30.0, lambda: clock[0])


def test_message_that_waits_too_long_tells(watch: Watchdog, clock: list[float]) -> None:
    assert watch.look({"a": 1, "b": 0}) == ""
    clock[0] += 30
    assert watch.look({"a": 2, "b": 1}) == ""
    clock[0] += 1

    assert watch.look({"a": 2, "b": 1}) == "a"


def test_every_message_heard_begins_the_time_anew(watch: Watchdog, clock: list[float]) -> None:
    watch.look({"a": 1})
    clock[0] += 29
    watch.heard("a")
    watch.look({"a": 1})
    clock[0] += 29

    assert watch.look({"a": 1}) == ""


def test_queue_that_was_empty_or_paused_meanwhile_begins_anew(
    watch: Watchdog, clock: list[float]
) -> None:
    for between in ({"a": 0}, {}):
        watch.look({"a": 1})
        clock[0] += 20
        watch.look(between)
        clock[0] += 20
        assert watch.look({"a": 1}) == ""


def test_hearing_one_queue_does_not_excuse_another(watch: Watchdog, clock: list[float]) -> None:
    watch.look({"a": 1, "b": 1})
    clock[0] += 31
    watch.heard("b")

    assert watch.look({"a": 1, "b": 1}) == "a"


def test_watch_can_be_switched_off(clock: list[float]) -> None:
    watch = Watchdog(0.0, lambda: clock[0])
    watch.look({"a": 1})
    clock[0] += 10_000

    assert watch.look({"a": 1}) == ""


def test_loop_that_does_not_come_round_stands_still(watch: Watchdog, clock: list[float]) -> None:
    assert not watch.stands_still(), "it has not begun"
    watch.turned()
    clock[0] += 60
    assert not watch.stands_still()
    clock[0] += 1
    assert watch.stands_still()
    watch.turned()

    assert not watch.stands_still()
