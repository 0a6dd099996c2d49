"""What the tests of assign and reconcile share: a fleet of records, a token, ways to run a pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cw.fleet_models import Host, Worker
from cw.github.client import GitHub
from cw.models import Outcome, Task, TaskSpec
from cw.operations.assignment.assign import Assigned, assign
from cw.operations.passes.context import PassContext
from cw.operations.reconciliation.reconcile import Reconciled, reconcile
from cw.settings import Settings
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store, open_store
from tests.standins.github import GitHubStandIn

HOST = "here"
BOT, TOKEN = "bot", "bot-token"


@dataclass
class Office:
    """Workers that exist as records only, and one token, on a stand-in and a real store."""

    hub: GitHubStandIn
    store: Store
    settings: Settings
    hinted: list[TaskSpec] = field(default_factory=list)

    @classmethod
    def open(cls, hub: GitHubStandIn, store: Store, repos: Iterable[str], **more: Any) -> Office:
        settings = Settings(
            github_api_url=hub.api_url,
            github_url="http://github.localhost",
            github_token=TOKEN,
            github_pace=0,
            host_name=HOST,
            assign_repos=tuple(repos),
            reconcile_grace=0.0,
            **more,
        )
        return cls(hub, store, settings)

    def staff(self, *workers: str) -> None:
        for one in workers:
            self.store.fleet.register_worker(Worker(id=one, host=HOST, home=f"/nowhere/{one}"))
        self.beat()

    def beat(self) -> None:
        self.store.fleet.beat(Host(name=HOST), self.store.tasks.now())

    def ways(self, **changed: Any) -> PassContext:
        """A process of its own: its own client and connection."""
        settings = replace(self.settings, **changed)
        github = GitHub(settings.github_api_url, settings.github_token, pace=0)
        return PassContext(
            settings=settings,
            store=open_store(self.store.connection.url, self.store.connection.keyring),
            github=github,
            hint=self.hinted.append,
            by="test",
        )

    def assign(self, *, dry_run: bool = False, **changed: Any) -> Assigned:
        self.beat()
        return assign(self.ways(**changed), dry_run=dry_run)

    def verdicts(self, **changed: Any) -> dict[str, str]:
        """Of a dry run, by issue."""
        rows = self.assign(dry_run=True, **changed).rows
        return {f"{one.repo}#{one.issue}": one.verdict.value for one in rows}

    def reconcile(self, **changed: Any) -> Reconciled:
        return reconcile(self.ways(**changed))

    def tasks(self) -> dict[int, Task]:
        """Unfinished ones by issue; of one repository."""
        return {one.spec.issue or 0: one for one in self.store.tasks.open_tasks()}

    def run(self, task: Task) -> Grant:
        worker = task.worker or task.spec.wanted_worker or "01"
        grant = self.store.tasks.acquire(
            task.spec.id, worker=worker, host=HOST, ttl=600, session="s"
        )
        assert isinstance(grant, Grant), grant
        return grant

    def finish(self, task: Task, kind: OutcomeKind, pr: str = "") -> None:
        self.settle(task, self.run(task), kind, pr)

    def settle(self, task: Task, grant: Grant, kind: OutcomeKind, pr: str = "") -> None:
        outcome = Outcome(kind=kind, reason="test", message="done", pr=pr)
        worker = task.worker or task.spec.wanted_worker or "01"
        assert self.store.tasks.settle(
            Holder(grant.task_id, worker, grant.fence),
            Settlement(Move.FINISH, outcome),
        )

    def pull(self, repo: str, issue: int) -> str:
        """A worker's pull request for an issue; returns its URL."""
        branch = f"issue-{issue}"
        self.hub.add_commit(repo, branch, {f"{branch}.txt": "done\n"})
        number = self.hub.add_pull(repo, branch, f"Fix {issue}", author=BOT)
        return f"http://github.localhost/{repo}/pull/{number}"

    def marks(self, repo: str, issue: int) -> list[str]:
        """The labels that mean something to us."""
        found = self.hub.issue(repo, issue).labels
        return sorted(one for one in found if one.startswith("worker:") or one == "blocked")


def big_hub(hub: GitHubStandIn, *, skewed: bool = False) -> dict[tuple[str, int], bool]:
    """20 repositories with 1,000 open issues, and whether each may be assigned.

    `skewed`: in the way that needs the most pages.
    """
    repos = [f"acme/r{one:02}" for one in range(20)]
    sizes = [100] * 9 + [9] * 10 + [10] if skewed else [50] * 20
    hub.add_user(BOT, TOKEN)
    expected: dict[tuple[str, int], bool] = {}
    for repo, size in zip(repos, sizes, strict=True):
        hub.add_repo(repo)
        hub.set_permission(repo, BOT, "write")
        for number in range(1, size + 1):
            expected[repo, number] = _add_issue(hub, repo, number)
    return expected


def _add_issue(hub: GitHubStandIn, repo: str, number: int) -> bool:
    """Of ten, one is blocked, one a human's, one a stranger's; the first of those is admitted."""
    labels = {1: ["blocked"], 2: ["worker:99"]}.get(number % 10, [])
    author = "stranger" if number % 10 == 3 else None
    hub.add_issue(repo, f"Issue {number}", "Text", author=author, labels=labels)
    if number == 3:
        hub.label_issue(repo, number, "claude")
    return number % 10 not in {1, 2, 3} or number == 3
