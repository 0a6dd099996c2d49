"""How long it takes until all is well again after a fault."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from bench.chaos.agentlog import Seen
from bench.chaos.fleet import Fleet, Host
from bench.chaos.load import Load
from cw.broker.app import send_ask
from cw.errors import CwError
from cw.homes.files import read_json

_POLL_SECONDS = 0.05
_ASK_SECONDS = 2.0  # a question dies with the host that has it
AGAIN = ", struck again meanwhile"


@dataclass
class Recovery:
    """Seconds by fault, from the signal on. A host is well when each run that it had is held again
    or over, as its own journal says, and it answers a question through its queue. When it, or its
    successor, was struck meanwhile, the time counts on, under a name of its own.
    """

    fleet: Fleet
    load: Load
    seconds: dict[str, list[float]] = field(default_factory=dict)
    unwell: int = 0  # hosts that are watched now
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._asking = {one.name: threading.Lock() for one in self.fleet.hosts}

    def watch(self, fault: str, host: Host, since: float, fences: dict[str, int]) -> None:
        """`since`: monotonic. `fences`: of the runs it had, from `fences_of` before the fault."""
        with self._lock:
            self.unwell += 1
        told = (fault, host, host.strikes, since, fences)
        threading.Thread(target=self._watch, args=told, daemon=True).start()

    def _watch(
        self, fault: str, host: Host, strikes: int, since: float, fences: dict[str, int]
    ) -> None:
        while not self._held(host, fences) or not self._answers(host):
            if self.load.over.wait(_POLL_SECONDS):
                return  # the work was done before it was well: nobody waited for it
        took = time.monotonic() - since
        name = fault if host.strikes == strikes else fault + AGAIN
        with self._lock:
            self.unwell -= 1
            self.seconds.setdefault(name, []).append(took)

    @staticmethod
    def _held(host: Host, fences: dict[str, int]) -> bool:
        now = fences_of(host)
        return not any(now.get(worker) == fence for worker, fence in fences.items())

    def _answers(self, host: Host) -> bool:
        """One question at a time: those who wait must not be what it is busy with."""
        question = uuid.uuid4().hex
        with self._asking[host.name], suppress(CwError):
            send_ask(self.load.app, host.name, {"id": question, "verb": "look"}, _ASK_SECONDS)
            return self.load.store.replies.wait(question, _ASK_SECONDS) is not None
        return False


def fences_of(host: Host) -> dict[str, int]:
    """The runs in its HOMEs: worker -> fence."""
    books = {home.id: read_json(home.journal) for home in host.homes}
    return {worker: int(book["run"]["fence"]) for worker, book in books.items() if book}


def next_runs(
    faults: Iterable[tuple[str, float, str]], runs: Iterable[Seen], name: str
) -> list[float]:
    """Seconds from each fault of this name to the next agent that starts; when it struck a task, to
    that task's next.
    """
    starts = sorted((one.start, one.task) for one in runs)
    tasks = {task for _, task in starts}
    found = []
    for what, at, who in faults:
        if what != name:
            continue
        after = (
            start for start, task in starts if start > at and (who not in tasks or task == who)
        )
        first = next(after, None)
        if first is not None:
            found.append(first - at)
    return found
