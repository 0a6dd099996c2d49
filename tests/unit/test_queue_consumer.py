"""Which queues a host consumes, told to a recorder in the place of Celery's consumer."""

from __future__ import annotations

from collections.abc import Callable

from cw.broker.app import RUN_TASK, SWEEP_TASK
from workerhost.inbox.queue_consumer import QueueConsumer
from workerhost.inbox.slots import Slots
from workerhost.inbox.watchdog import Watchdog


class Hub:
    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, what: Callable[[], None]) -> None:
        self.soon.append(what)


class Consumer:
    """What of Celery's consumer the gate uses: a set of queues, and an event loop's next turn."""

    def __init__(self, queues: list[str]) -> None:
        self.queues = set(queues)
        self.hub = Hub()
        self.task_consumer: Consumer | None = self

    def consuming_from(self, queue: str) -> bool:
        return queue in self.queues

    def add_task_queue(self, queue: str) -> None:
        assert queue not in self.queues, "Celery would consume twice"
        self.queues.add(queue)

    def cancel_task_queue(self, queue: str) -> None:
        self.queues.discard(queue)

    def turn(self) -> None:
        while self.hub.soon:
            self.hub.soon.pop(0)()


class All:
    """Hints of a fleet whose accounts take everything."""

    def waits(self, task_id: str, _worker: str | None) -> bool:
        return task_id != "done"

    def ranked(self, _task_id: str, workers: list[str]) -> list[str]:
        return workers


def started(*workers: str) -> tuple[QueueConsumer, Consumer]:
    slots = Slots()
    for one in workers:
        slots.add(one)
    gate = QueueConsumer(slots, "here", Watchdog(0), All())
    consumer = Consumer(gate.queues())
    gate.ready(consumer)
    return gate, consumer


def run_queues(consumer: Consumer) -> set[str]:
    return {one for one in consumer.queues if one.startswith("worker")}


def test_host_begins_with_the_queues_of_its_idle_workers_and_the_pool() -> None:
    _, consumer = started("01", "02")

    assert run_queues(consumer) == {"workers", "worker.01", "worker.02"}
    assert "fleet" in consumer.queues


def test_host_without_workers_takes_nothing_from_the_pool() -> None:
    _, consumer = started()

    assert run_queues(consumer) == set()
    assert "fleet" in consumer.queues


def test_queue_of_a_worker_is_paused_by_its_message() -> None:
    gate, consumer = started("01", "02")

    gate.on_message(consumer, RUN_TASK, "T", "worker.01")

    assert run_queues(consumer) == {"workers", "worker.02"}


def test_pool_message_pauses_the_queue_of_the_worker_it_was_promised() -> None:
    gate, consumer = started("01", "02")

    gate.on_message(consumer, RUN_TASK, "T", "workers")

    assert run_queues(consumer) == {"workers", "worker.02"}


def test_pool_is_paused_when_the_last_worker_is_taken() -> None:
    gate, consumer = started("01")

    gate.on_message(consumer, RUN_TASK, "T", "worker.01")

    assert run_queues(consumer) == set()


def test_hint_of_a_task_that_does_not_wait_pauses_nothing_and_takes_nobody() -> None:
    gate, consumer = started("01")

    gate.on_message(consumer, RUN_TASK, "done", "worker.01")

    assert run_queues(consumer) == {"workers", "worker.01"}
    assert gate.slots.claim("done") is None
    assert gate.slots.idle() == ["01"]


def test_sweep_takes_no_worker() -> None:
    gate, consumer = started("01")

    gate.on_message(consumer, SWEEP_TASK, "", "fleet")

    assert run_queues(consumer) == {"workers", "worker.01"}


def test_queues_open_again_in_the_event_loop_when_the_worker_is_idle() -> None:
    gate, consumer = started("01")
    gate.on_message(consumer, RUN_TASK, "T", "worker.01")
    gate.slots.release("01")

    gate.resume()
    assert run_queues(consumer) == set()
    consumer.turn()
    gate.resume()
    consumer.turn()

    assert run_queues(consumer) == {"workers", "worker.01"}


def test_late_message_of_a_paused_queue_harms_nothing() -> None:
    gate, consumer = started("01")
    gate.on_message(consumer, RUN_TASK, "T", "workers")
    gate.on_message(consumer, RUN_TASK, "U", "worker.01")

    assert (gate.slots.claim("T"), gate.slots.claim("U")) == ("01", None)


def test_between_two_connections_nothing_is_opened() -> None:
    gate, consumer = started("01")
    gate.on_message(consumer, RUN_TASK, "T", "worker.01")
    gate.slots.release("01")
    consumer.task_consumer = None

    gate.resume()
    consumer.turn()

    assert run_queues(consumer) == set()


def test_worker_kept_for_its_task_leaves_the_pool_alone_but_hears_its_own_queue() -> None:
    gate, _ = started("01")
    gate.slots.pin("01", "T")
    fresh = Consumer(gate.queues())

    assert run_queues(fresh) == {"worker.01"}


def test_queue_of_a_removed_worker_is_left() -> None:
    gate, consumer = started("01", "02")

    gate.slots.remove("01")
    gate.pause("01")
    gate.pause("99")
    consumer.turn()
    gate.resume()
    consumer.turn()

    assert "worker.01" not in consumer.queues
    assert "worker.02" in consumer.queues


def test_event_loop_that_comes_round_is_noticed() -> None:
    now = [0.0]
    gate = QueueConsumer(Slots(), "here", Watchdog(0, lambda: now[0]), All())
    consumer = Consumer(gate.queues())
    gate.ready(consumer)
    now[0] = 100.0
    gate.resume()
    assert gate.watchdog.stands_still()

    consumer.turn()

    assert not gate.watchdog.stands_still()
