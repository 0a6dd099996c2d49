"""When the broker's clock is believed about the end of leases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.making import NOW
from workerhost.broker_clock import BrokerClock


@dataclass
class Times:
    """`takes`: seconds until the broker answers."""

    wall: datetime = NOW
    ours: float = 100.0
    takes: float = 0.0

    def passes(self, seconds: float, jump: float = 0.0) -> None:
        self.ours += seconds
        self.wall += timedelta(seconds=seconds + jump)

    def ask(self) -> datetime:
        self.passes(self.takes)
        return self.wall

    def now(self) -> float:
        return self.ours


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def clock(times: Times) -> BrokerClock:
    found = BrokerClock(times.ask, ttl=600, jump=30, clock=times.now)
    assert found.believed()
    return found


@pytest.mark.parametrize("jump", [0, 29, -3600])
def test_clock_that_goes_on_or_back_is_believed(
    clock: BrokerClock, times: Times, jump: float
) -> None:
    times.passes(5, jump)

    assert clock.believed()


def test_clock_that_jumped_forward_is_believed_again_after_a_lease(
    clock: BrokerClock, times: Times
) -> None:
    times.passes(5, 3600)
    answers = [clock.believed()]
    times.passes(599)
    answers.append(clock.believed())
    times.passes(1)
    answers.append(clock.believed())

    assert answers == [False, False, True]


def test_broker_that_answers_late_has_not_jumped(clock: BrokerClock, times: Times) -> None:
    times.takes = 300
    times.passes(5)
    assert clock.believed()
    times.takes = 0
    times.passes(5)

    assert clock.believed()


def test_host_that_was_stopped_for_long_sees_no_jump(clock: BrokerClock, times: Times) -> None:
    times.passes(7200)

    assert clock.believed()
