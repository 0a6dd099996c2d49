"""Pull requests of finished tasks on the stand-in, and passes by a clock that is moved on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cw.fleet_models import Host
from cw.models import Outcome, Task
from cw.operations.pulls.follow import Followed, follow
from cw.pulls.record import PullRecord
from cw.pulls.states import move_to
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store
from tests.conftest import Cw
from tests.integration.assigning import BOT, HOST, TOKEN, Office
from tests.making import make_spec
from tests.standins.github import GitHubStandIn

EVERY = timedelta(seconds=120)


@dataclass
class Hands:
    """Of a clock that goes on by itself, and is moved on."""

    later: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later


@dataclass
class Road:
    """From pull request to merge."""

    office: Office
    hands: Hands
    tasks: dict[str, str] = field(default_factory=dict)  # by pull request

    @classmethod
    def open(
        cls, hub: GitHubStandIn, store: Store, hands: Hands, repos: Iterable[str], **more: Any
    ) -> Road:
        named = list(repos)
        hub.add_user(BOT, TOKEN)
        for repo in named:
            if repo.lower() not in hub.state.repos:
                hub.add_repo(repo)
            hub.set_permission(repo, BOT, "write")
        return cls(Office.open(hub, store, named, **more), hands)

    @property
    def hub(self) -> GitHubStandIn:
        return self.office.hub

    @property
    def store(self) -> Store:
        return self.office.store

    def ended_task(
        self,
        repo: str,
        issue: int,
        pr: str,
        head: str,
        report: str = "",
        *,
        drafted: bool = False,
        **changed: Any,
    ) -> str:
        """A task that ended with this pull request."""
        repo_id = self.hub.state.repo(repo).id
        spec = make_spec(repo=repo, repo_id=repo_id, issue=issue, **changed)
        self.store.tasks.create(spec, "")
        self.end(spec.id, pr, head, report, drafted=drafted)
        return spec.id

    def end(
        self, task_id: str, pr: str, head: str, report: str = "", *, drafted: bool = False
    ) -> None:
        grant = self.store.tasks.acquire(task_id, worker="01", host=HOST, ttl=600, session="s")
        assert isinstance(grant, Grant)
        outcome = Outcome(
            kind=OutcomeKind.SUCCEEDED,
            reason="done",
            message="done",
            pr=pr,
            head=head,
            cost_usd=0.5,
            report=report,
            drafted=drafted,
        )
        holder = Holder(task_id, "01", grant.fence)
        assert self.store.tasks.settle(holder, Settlement(Move.FINISH, outcome))

    def pull(
        self,
        repo: str = "acme/app",
        files: dict[str, str] | None = None,
        *,
        drafted: bool = False,
        **changed: Any,
    ) -> int:
        """An issue, the pull request for it, and the task that made it. Returns its number.
        `drafted`: as a draft, until another worker has read it. `changed`: of the task.
        """
        issue = self.hub.add_issue(repo, "Something")
        branch = f"issue-{issue}"
        head = self.hub.add_commit(repo, branch, files or {f"{branch}.txt": "done\n"}, actor=BOT)
        text = f"Fixes #{issue}"
        number = self.hub.add_pull(repo, branch, "Fix it", text, author=BOT, draft=drafted)
        url = f"http://github.localhost/{repo}/pull/{number}"
        task = self.ended_task(repo, issue, url, head, drafted=drafted, **changed)
        self.tasks[f"{repo}#{number}"] = task
        return number

    def follow(self, after: timedelta = EVERY, **changed: Any) -> Followed:
        """A pass, so much later than the last one."""
        self.hands.later += after
        clock = self.store.tasks.now
        if self.store.fleet.workers():
            self.store.fleet.beat(Host(name=HOST), clock() + self.hands.later)
        return follow(self.office.ways(**changed), lambda: clock() + self.hands.later)

    def age(self, number: int, repo: str = "acme/app") -> None:
        """It has been as it is for an hour, by the broker's own clock as well."""
        record = self.record(number, repo)
        before = record.made_at - timedelta(hours=1)
        aged = record.model_copy(update={"head_at": before, "moved_at": before})
        due = before + timedelta(hours=1, minutes=15)
        assert self.store.pulls.move(aged, move_to(aged.state), due)

    def record(self, number: int, repo: str = "acme/app") -> PullRecord:
        found = self.store.pulls.get((f"@{self.hub.state.repo(repo).id}", number))
        assert found
        return found

    def record_task(self, number: int, repo: str = "acme/app") -> Task:
        task = self.store.tasks.get(self.tasks[f"{repo}#{number}"])
        assert task
        return task

    def branch(self, number: int, repo: str = "acme/app") -> str:
        pull = self.hub.state.issue(self.hub.state.repo(repo), number).pull
        assert pull
        return pull.head_ref

    def cw(self, cw: Cw, *typed: str, **more: str) -> subprocess.CompletedProcess[str]:
        """As somebody types it on a machine of this fleet."""
        return cw(*typed, **self.env(), **more)

    def env(self) -> dict[str, str]:
        settings = self.office.settings
        return {
            "CW_BROKER_URL": self.store.connection.url,
            "CW_GITHUB_API_URL": settings.github_api_url,
            "CW_GITHUB_URL": settings.github_url,
            "CW_GITHUB_TOKEN": settings.github_token,
            "CW_HOST_NAME": HOST,
            "CW_PULLS_REPAIRS": str(settings.pulls_repairs),
        }

    def state(self, number: int, repo: str = "acme/app") -> str:
        return self.record(number, repo).state.value

    def notices(self) -> list[str]:
        """What people are told, in the order in which it came."""
        posts = self.store.notices.pending(HOST)
        return [f"{post.effect.notice.reason}: {post.effect.notice.why}" for post in posts]
