"""The thread in which a host does what it does every few seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tests.waiting import wait_until
from workerhost.broker_clock import BrokerClock
from workerhost.inbox.queue_consumer import QueueConsumer
from workerhost.inbox.slots import Slots
from workerhost.inbox.watchdog import Watchdog
from workerhost.shutdown import Leaving
from workerhost.tick_thread import TickThread
from workerhost.unexpected_errors import Troubles


def test_host_that_is_stopped_before_it_began_can_say_goodbye() -> None:
    nothing: Any = None

    ticks = TickThread(nothing, nothing, nothing, nothing, nothing)
    ticks.join()  # of a thread that was never started raises

    assert not ticks.deaf


@dataclass
class Counted:
    """What a tick does, and the accounts that it looks at: the first `fails` looks fail."""

    opens: float
    fails: int = 0
    ticks: int = 0
    leaving: Leaving = field(default_factory=Leaving)

    def tick(self, _adopter: object) -> None:
        self.ticks += 1
        if self.ticks <= self.fails:
            raise ValueError

    def opens_in(self) -> float:
        return self.opens

    def thread(self) -> TickThread:
        ctx: Any = SimpleNamespace(
            leaving=self.leaving, troubles=Troubles(), accounts=self, host_env={}
        )
        unasked: Any = None
        here: Any = self
        consumer = QueueConsumer(Slots(), "here", Watchdog(0), unasked)
        clock = BrokerClock(lambda: datetime.now(UTC), ttl=1, jump=1)
        return TickThread(ctx, consumer, clock, here, unasked)


def test_host_ticks_when_an_account_opens_and_not_seconds_later() -> None:
    counted = Counted(opens=0.01)
    ticks = counted.thread()

    ticks.start()
    wait_until(lambda: counted.ticks > 9, what="ten ticks, which else take a minute")
    counted.leaving.now()
    ticks.join()


def test_tick_that_failed_is_not_repeated_at_once() -> None:
    counted = Counted(opens=0.0, fails=9)
    ticks = counted.thread()

    ticks.start()
    wait_until(lambda: counted.ticks)
    counted.leaving.now()
    ticks.wake()
    ticks.join()

    assert counted.ticks == 1
