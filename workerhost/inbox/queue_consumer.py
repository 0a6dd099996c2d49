"""Which Celery queues this host consumes: an identity's only while it is idle, the pool's only
while any is.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from cw.broker.app import RUN_TASK
from cw.names import FLEET_QUEUE, POOL_QUEUE, host_queue, worker_queue
from workerhost.inbox.slots import Slots
from workerhost.inbox.watchdog import Watchdog

log = logging.getLogger("workerhost.consumer")
_PREFIX = worker_queue("")


class Hints(Protocol):
    def waits(self, task_id: str, worker: str | None) -> bool:
        """Whether a task still waits for this worker, or for anyone."""

    def ranked(self, task_id: str, workers: list[str]) -> list[str]:
        """Those of these workers that may take it, the best first."""


class QueueConsumer:
    """Reserves identities as messages arrive and pauses queues in the same turn of the event loop:
    no second message of a paused queue is under way then.

    A hint of what does not wait any more is passed over: pausing and opening a queue for it takes a
    second, and there may be hundreds.
    """

    def __init__(self, slots: Slots, host: str, watchdog: Watchdog, hints: Hints) -> None:
        self.slots = slots
        self.host = host
        self.watchdog = watchdog
        self._hints = hints
        self._consumer: Any = None

    def queues(self) -> list[str]:
        """What should be consumed from now."""
        own = [worker_queue(worker) for worker in self.slots.accepting()]
        return [
            FLEET_QUEUE,
            host_queue(self.host),
            *([POOL_QUEUE] if self.slots.available() else []),
            *own,
        ]

    @property
    def consuming(self) -> bool:
        """Whether there has been a consumer at all."""
        return self._consumer is not None

    def ready(self, consumer: Any) -> None:
        """Celery's consumer is connected."""
        self._consumer = consumer
        self.watchdog.turned()

    def on_message(self, consumer: Any, task: str, task_id: str, queue: str) -> None:
        """A message arrived. Called in the consumer's thread, before a pool thread runs it."""
        self._consumer = consumer
        self.watchdog.heard(queue)
        wanted = queue.removeprefix(_PREFIX) if queue.startswith(_PREFIX) else None
        if task != RUN_TASK or not self._hints.waits(task_id, wanted):
            return
        able = [wanted] if wanted else self._hints.ranked(task_id, self.slots.available())
        chosen = self.slots.reserve_for(task_id, able)
        if chosen:
            consumer.cancel_task_queue(worker_queue(chosen))
        if not self.slots.available():
            consumer.cancel_task_queue(POOL_QUEUE)

    def resume(self) -> None:
        """Consume from the queue of every idle identity. May be called from any thread."""
        consumer = self._consumer
        if consumer is not None and consumer.hub is not None:
            consumer.hub.call_soon(self._resume)

    def pause(self, worker: str) -> None:
        """Consume no more from the queue of an identity that is gone. From any thread."""
        consumer = self._consumer
        if consumer is not None and consumer.hub is not None:
            consumer.hub.call_soon(lambda: self._pause(worker_queue(worker)))

    def _pause(self, queue: str) -> None:
        consumer = self._consumer
        if consumer.task_consumer is not None and consumer.task_consumer.consuming_from(queue):
            consumer.cancel_task_queue(queue)

    def _resume(self) -> None:
        self.watchdog.turned()
        consumer = self._consumer
        if consumer.task_consumer is None:  # between two connections; the next tick tries again
            return
        wanted = [worker_queue(worker) for worker in self.slots.accepting()]
        for queue in [*wanted, *([POOL_QUEUE] if self.slots.available() else [])]:
            if not consumer.task_consumer.consuming_from(queue):
                consumer.add_task_queue(queue)
