"""Guards at what GitHub is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cw.github.client import GitHub
from cw.store.outbox import Effect, OutboxStore
from cw.store.signed_outbox import Entry
from workerhost import deliveries
from workerhost.github import outbox_delivery, writes


def wrong_end() -> None:
    """The outbox is read from its end. A label that comes too late is told all the same."""
    pending = OutboxStore.pending

    def last_first(self: OutboxStore, host: str) -> list[Entry[Effect]]:
        return pending(self, host)[::-1]

    OutboxStore.pending = last_first  # type: ignore[method-assign, assignment]
    _however_late()


def twice() -> None:
    """Each write is done again, which changes nothing, and labels are told however late."""
    perform = writes.perform

    def eager(
        effect: Effect, github: GitHub, marks: Sequence[str], no_drafts: Callable[[int], None]
    ) -> None:
        for _ in range(2):
            perform(effect, github, marks, no_drafts)

    vars(outbox_delivery)["perform"] = eager  # it has the name already
    _however_late()


def _however_late() -> None:
    """Else nothing is told of a worker that had an issue while GitHub was away."""
    vars(deliveries)["outdated"] = lambda *_: False


def labels() -> None:
    """A label is put on again and again, which changes nothing."""
    add_label = GitHub.add_label

    def eager(self: GitHub, repo: str, number: int, name: str) -> tuple[str, ...]:
        for _ in range(5):
            add_label(self, repo, number, name)
        return add_label(self, repo, number, name)

    GitHub.add_label = eager  # type: ignore[method-assign]
