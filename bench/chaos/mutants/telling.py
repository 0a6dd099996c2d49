"""Guards at what GitHub is told."""

from __future__ import annotations

from collections.abc import Sequence

from cw.github.client import GitHub
from cw.store import keys
from cw.store.outbox import Effect, Entry, OutboxStore
from workerhost.github import deliver


def wrong_end() -> None:
    """The outbox is read from its end."""

    def last(self: OutboxStore, host: str) -> Entry | None:
        row = self._db.client.lindex(keys.outbox(host), -1)
        found = self._read(host, row) if row is not None else None
        return found if isinstance(found, Entry) else None

    OutboxStore.first = last  # type: ignore[method-assign]


def twice() -> None:
    """Each write is done again, which changes nothing."""
    perform = deliver._perform  # noqa: SLF001

    def eager(effect: Effect, github: GitHub, marks: Sequence[str]) -> None:
        for _ in range(2):
            perform(effect, github, marks)

    deliver._perform = eager  # noqa: SLF001


def labels() -> None:
    """A label is put on again and again, which changes nothing."""
    add_label = GitHub.add_label

    def eager(self: GitHub, repo: str, number: int, name: str) -> tuple[str, ...]:
        for _ in range(5):
            add_label(self, repo, number, name)
        return add_label(self, repo, number, name)

    GitHub.add_label = eager  # type: ignore[method-assign]
