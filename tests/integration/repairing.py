"""Repairs without a host: what a pass orders, and how runs of it end, by record alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cw.models import Outcome, Task
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant, Holder, Settlement
from tests.integration.assigning import BOT, HOST
from tests.integration.following import Road


@dataclass
class Yard:
    """Where the pull requests of a road are mended."""

    road: Road
    repo: str = "acme/app"

    def repairs(self) -> list[Task]:
        """That are not over, the oldest first."""
        tasks = self.road.store.tasks.open_tasks()
        return sorted((one for one in tasks if one.spec.repair), key=lambda one: one.spec.id)

    def repair(self) -> Task:
        (only,) = self.repairs()
        return only

    def take(self, task: Task, worker: str = "01") -> Grant:
        grant = self.road.store.tasks.acquire(
            task.spec.id, worker=worker, host=HOST, ttl=600, session="s"
        )
        assert isinstance(grant, Grant)
        return grant

    def pushes(self, task: Task, files: dict[str, str] | None = None, **more: object) -> str:
        """A run of it that mends something. Returns the new head."""
        assert task.spec.repair
        name = f"{task.spec.id.lower()}.txt"
        made = files or {name: "mended\n"}
        grant = self.take(task)
        head = self.road.hub.add_commit(self.repo, task.spec.repair.branch, made, actor=BOT)
        self.end(task, grant, _good(head, **more))
        return head

    def merges_base(self, task: Task, files: dict[str, str]) -> str:
        """A run that mends a conflict. `files`: of the base, and what both changed, as it ends."""
        assert task.spec.repair
        grant = self.take(task)
        branch, base = task.spec.repair.branch, task.spec.repair.base
        head = self.road.hub.add_commit(self.repo, branch, files, actor=BOT, merged=base)
        self.end(task, grant, _good(head))
        return head

    def lies(self, task: Task, reason: str = "no_changes", message: str = "no commit") -> None:
        """A run that pushes nothing."""
        outcome = Outcome(kind=OutcomeKind.FAILED, reason=reason, message=message, cost_usd=0.25)
        self.end(task, self.take(task), outcome)

    def end(self, task: Task, grant: Grant, outcome: Outcome, move: Move = Move.FINISH) -> None:
        holder = Holder(task.spec.id, "01", grant.fence)
        assert self.road.store.tasks.settle(holder, Settlement(move, outcome))

    def effects(self) -> Iterator[tuple[str, int, str]]:
        """What GitHub is to be told: kind, issue or pull request, text."""
        for one in self.road.store.outbox.pending(HOST):
            yield one.effect.kind, one.effect.issue, one.effect.text


def _good(head: str, **more: object) -> Outcome:
    given = {
        "kind": OutcomeKind.SUCCEEDED,
        "reason": "done",
        "message": "1 commit pushed, pull request open",
        "head": head,
        "pushed": True,
        "commits": 1,
        "cost_usd": 0.25,
        "turns": 3,
        "duration_s": 60.0,
    }
    return Outcome.model_validate(given | more)
