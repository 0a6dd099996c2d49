"""What the verbs share: finding the task an id means, telling its host, ending a task for good."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cw.models import Model, Task, TaskSpec
from cw.operations.fleet.ask import Ask, HostSilentError, Send, ask_host
from cw.states import State
from cw.store.store import Store

POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """Whoever steers workers: the records, ways to tell hosts, and a name."""

    store: Store
    send: Send
    hint: Callable[[TaskSpec, str | None], None]
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait, and whom to tell meanwhile: `tell` gets the seconds so far."""

    seconds: float
    tell: Callable[[float], None] = field(default=lambda _: None)

    def until(self, done: Callable[[], bool]) -> bool:
        """Whether it was done in time."""
        begin = time.monotonic()
        while not done():
            waited = time.monotonic() - begin
            if waited > self.seconds:
                return False
            self.tell(waited)
            time.sleep(POLL_SECONDS)
        return True


class TaskPlace(Model):
    """A task as the verbs name it."""

    task: str
    label: str
    worker: str | None
    state: State


def place(task: Task) -> TaskPlace:
    return TaskPlace(
        task=task.spec.id, label=task.spec.label, worker=task.worker or None, state=task.state
    )


def running_on(store: Store, workers: Iterable[str]) -> list[Task]:
    """What runs on these workers now."""
    wanted = set(workers)
    tasks = store.tasks.open_tasks()
    return [task for task in tasks if task.state is State.RUNNING and task.worker in wanted]


def poke(control: Control, host: str) -> bool:
    """Have a host look at the records now instead of in a few seconds. False: it is away."""
    try:
        ask_host(control.store, control.send, host, Ask(id=uuid.uuid4().hex, verb="look"))
    except HostSilentError:
        return False
    return True


def poke_all(control: Control, hosts: Iterable[str | None]) -> set[str]:
    """Returns those that are away."""
    return {name for name in sorted({host for host in hosts if host}) if not poke(control, name)}
