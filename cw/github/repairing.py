"""What repairs of pull requests ask and do, as `cw.forges.client.Repairing` has it."""

from __future__ import annotations

from collections.abc import Collection

from cw.forges.reading import Kept
from cw.forges.repairing import Failure, Reviewed
from cw.github.connection import Connection
from cw.github.drafts import mark_ready
from cw.github.failures import failures, rerun
from cw.github.replies import reply, resolve
from cw.github.reviewed import reviewed


class Repairing(Connection):
    """Each in its own file."""

    def failures(
        self, repo: str, head: str, names: Collection[str], kept: Kept, *, logs: bool = True
    ) -> tuple[Failure, ...]:
        return failures(self, repo, head, names, kept, logs=logs)

    def rerun(self, repo: str, rerunnables: Collection[str]) -> None:
        rerun(self, repo, rerunnables)

    def threads(self, repo: str, number: int) -> Reviewed:
        return reviewed(self, repo, number)

    def reply(self, repo: str, number: int, thread_id: str, body: str, mark: str) -> None:
        reply(self, repo, number, thread_id, body, mark)

    def resolve(self, repo: str, thread_id: str) -> None:
        resolve(self, repo, thread_id)

    def mark_ready(self, repo: str, number: int) -> None:
        mark_ready(self, repo, number)
