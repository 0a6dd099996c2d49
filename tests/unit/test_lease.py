"""A lease is trusted no longer than is certain, whatever the broker does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from cw.errors import BrokerUnavailableError, CwError
from tests.waiting import wait_until
from workerhost.runs.lease_renewal import Lease


@dataclass
class Server:
    """Answers a renewal as it is told; moves the clock by `takes` seconds while it does."""

    now: float = 1000.0
    takes: float = 0.0
    answer: bool = True
    error: CwError | None = None
    renewals: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def renew(self) -> bool:
        self.renewals.append(self.now)
        self.now += self.takes
        if self.error:
            raise self.error
        return self.answer


def lease(server: Server) -> Lease:
    return Lease(server.renew, ttl=600, every=30, margin=60, clock=server.clock)


def test_fresh_lease_is_kept_without_a_renewal() -> None:
    server = Server()

    assert lease(server).keep()
    assert server.renewals == []


def test_lease_is_renewed_when_it_is_time() -> None:
    server = Server()
    held = lease(server)

    kept = []
    for _ in range(90):
        server.now += 1
        kept.append(held.keep())

    assert all(kept)
    assert server.renewals == [1030, 1060, 1090]


def test_lease_of_somebody_else_is_given_up_at_once() -> None:
    server = Server(answer=False)
    held = lease(server)
    server.now += 30

    assert not held.keep()


@pytest.mark.parametrize(
    "error", [BrokerUnavailableError("away"), CwError("the broker refused: OOM")]
)
def test_without_a_broker_it_is_kept_until_the_margin(error: CwError) -> None:
    server = Server(error=error)
    held = lease(server)

    server.now = 1000 + 539
    assert held.keep()
    server.now = 1000 + 540
    assert not held.keep()


def test_broker_that_comes_back_in_time_saves_the_lease() -> None:
    server = Server(error=BrokerUnavailableError("away"))
    held = lease(server)
    server.now += 530
    assert held.keep()

    server.error = None
    server.now += 2

    assert held.keep()
    server.now += 535
    assert held.keep()


def test_renewal_is_tried_every_second_while_the_broker_is_away() -> None:
    server = Server(error=BrokerUnavailableError("away"))
    held = lease(server)
    server.now += 30
    for _ in range(10):
        held.keep()
        server.now += 1

    assert len(server.renewals) == 10


def test_trust_counts_from_before_a_slow_renewal() -> None:
    server = Server()
    held = lease(server)
    server.now += 30
    server.takes = 100
    held.keep()  # asked at 1030, answered at 1130
    server.takes, server.error = 0, BrokerUnavailableError("away")

    server.now = 1030 + 539
    assert held.keep()
    server.now = 1030 + 540
    assert not held.keep()


def test_renewal_that_answers_too_late_does_not_keep_the_lease() -> None:
    server = Server(takes=541)
    held = lease(server)
    server.now += 30

    assert not held.keep()


def test_hanging_renewal_does_not_hold_up_the_end() -> None:
    hang = threading.Event()
    held = Lease(hang.wait, ttl=0.5, every=0.1, margin=0.2)
    try:
        with held:
            wait_until(held.lost.is_set, what="the lease to be given up")
    finally:
        hang.set()


def test_lease_that_was_left_is_not_called_lost() -> None:
    server = Server(answer=False)
    held = lease(server)
    with held:
        pass
    server.now += 5000

    assert not held.lost.is_set()


@pytest.mark.parametrize("hangs", [False, True], ids=["taken", "no answer"])
def test_lost_lease_is_told_to_its_run_and_to_whoever_follows_it(hangs: bool) -> None:
    """The run ends at once, also while whoever follows it waits for the broker; and whoever follows
    it knows why it ended.
    """
    told, hang = threading.Event(), threading.Event()
    renew = hang.wait if hangs else bool  # never answers; no
    held = Lease(renew, ttl=0.5, every=0.1, margin=0.2, on_lost=told.set)
    try:
        with held:
            wait_until(held.lost.is_set, what="the lease to be given up")
            wait_until(told.is_set, what="the run to be stopped")
    finally:
        hang.set()
