"""Asks services whether they are ready, on a thread of its own: an answer may take seconds."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from cw.services.catalog import Running, Service


@dataclass(frozen=True, slots=True)
class Answer:
    name: str
    running: Running  # the life it is about
    ready: bool


class Prober:
    def __init__(self) -> None:
        self._questions: SimpleQueue[tuple[Service, Running]] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        threading.Thread(target=self._work, name="prober", daemon=True).start()

    def ask(self, service: Service, running: Running) -> None:
        self._questions.put((service, running))

    def answers(self) -> list[Answer]:
        """What has come since; never waits."""
        found = []
        while True:
            try:
                found.append(self._answers.get_nowait())
            except Empty:
                return found

    def _work(self) -> None:
        while True:
            service, running = self._questions.get()
            self._answers.put(Answer(service.name, running, is_ready(service, running)))


def is_ready(service: Service, running: Running) -> bool:
    try:
        return service.ready(running)
    except Exception:  # noqa: BLE001 - this thread's outermost loop; no answer is "not yet"
        return False
