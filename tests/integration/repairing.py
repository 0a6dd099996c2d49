"""Repairs without a host: what a pass orders, and how runs of it end, by record alone; and what
people do meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cw.models import Outcome, Task
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store
from tests.integration.assigning import BOT, HOST
from tests.integration.following import Hands, Road
from tests.needs import need
from tests.standins.github import GitHubStandIn

REPO = "acme/app"
PERSON = "owner"


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


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def hub(tmp_path: Path, hands: Hands) -> Iterator[GitHubStandIn]:
    need("git")
    with GitHubStandIn(tmp_path / "hub", clock=hands.now) as hub:
        hub.add_repo(REPO)
        for login, level in {PERSON: "admin", "outsider": "none"}.items():
            hub.add_user(login, f"{login}-token", {} if level == "none" else {REPO: level})
        yield hub


@pytest.fixture
def road(hub: GitHubStandIn, store: Store, hands: Hands) -> Road:
    road = Road.open(hub, store, hands, [REPO])
    road.office.staff("01")
    return road


@pytest.fixture
def yard(road: Road) -> Yard:
    return Yard(road)


def red(road: Road, hub: GitHubStandIn, **files: str) -> int:
    """A pull request whose check failed, looked at."""
    number = road.pull(files=files or None)
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow()
    return number


def does(road: Road, number: int, gesture: str) -> None:
    """What a person may do with a pull request that is theirs from then on, or over."""
    hub = road.hub
    gestures: dict[str, Callable[[], object]] = {
        "merge": lambda: hub.merge_pull(REPO, number),
        "close": lambda: hub.close_issue(REPO, number),
        "stop": lambda: hub.add_comment(REPO, number, "Stop.", author=PERSON),
        "push": lambda: hub.add_commit(REPO, road.branch(number), {"b": "c\n"}, actor=PERSON),
        "assign": lambda: hub.assign(REPO, number, PERSON),
        "label": lambda: hub.label_issue(REPO, number, "claude-ship-it"),
    }
    gestures[gesture]()


def assert_ended(road: Road, task: Task, number: int, gesture: str, *, running: bool) -> None:
    """By the pass that saw it: a run is asked to stop, what waited is over."""
    found = road.store.tasks.get(task.spec.id)
    assert found
    if running:
        assert (found.state, bool(found.stop_wanted)) == (State.RUNNING, True)
    else:
        assert found.outcome
        assert (found.state, found.outcome.reason) == (State.DONE, "repair_over")
    over = {"merge": "merged", "close": "closed"}
    assert road.state(number) == over.get(gesture, "hands off")
