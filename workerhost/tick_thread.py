"""The thread in which a host does what it does every few seconds, and ends when it is deaf."""

from __future__ import annotations

import logging
import threading

from cw.errors import BrokerUnavailableError
from workerhost.adoption_threads import Adopter
from workerhost.broker_clock import BrokerClock
from workerhost.heartbeat import Heartbeat
from workerhost.inbox.queue_consumer import QueueConsumer
from workerhost.inbox.watchdog import end_process, feed_systemd
from workerhost.runs.run_context import Context

log = logging.getLogger("workerhost.tick_thread")

_TICK_SECONDS = 5.0
_END_SECONDS = 15.0  # for the runs to be left alone in good order


class TickThread:
    """`deaf`: the consumer hears nothing any more; the host leaves, and is to be started again."""

    def __init__(
        self,
        ctx: Context,
        consumer: QueueConsumer,
        clock: BrokerClock,
        heartbeat: Heartbeat,
        adopter: Adopter,
    ) -> None:
        self._ctx = ctx
        self._consumer = consumer
        self._clock = clock
        self._heartbeat = heartbeat
        self._adopter = adopter
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._forever, name="tick", daemon=True)
        self.deaf = False

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is more to do than a moment ago, or the host leaves."""
        self._woken.set()

    def join(self) -> None:
        """The host leaves, perhaps before it began: no heartbeat comes after this."""
        if self._thread.is_alive():
            self._thread.join(_TICK_SECONDS)

    def _forever(self) -> None:
        while not self._ctx.leaving.detach.is_set():
            pause = _TICK_SECONDS
            try:
                with self._ctx.troubles.watch("tick"):
                    self._clock.believed()
                    self._heartbeat.tick(self._adopter)
                    self._listen()
                    pause = min(_TICK_SECONDS, self._ctx.accounts.opens_in())
            except BrokerUnavailableError as error:
                log.warning("%s", error)
                self._consumer.watchdog.turned()  # a new host could not consume either
            feed_systemd(self._ctx.host_env, self._consumer.watchdog)
            self._woken.wait(pause)
            self._woken.clear()

    def _listen(self) -> None:
        """A consumer that hears nothing any more is replaced, with its process: the next one adopts
        the runs.
        """
        leaving = self._ctx.leaving
        if leaving.closing.is_set() or not self._consumer.consuming:
            return
        deaf = self._consumer.watchdog.look(self._ctx.store.fleet.lengths(self._consumer.queues()))
        if deaf:
            log.error("the consumer is deaf queue=%s; the host starts again", deaf)
            self.deaf = True
            leaving.now()
            end_process(_END_SECONDS)
