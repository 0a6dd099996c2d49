"""Workers on accounts of which the scripted API counts every request, with the real claude."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Event
from typing import Any

from cw.broker.address import broker_url
from cw.homes.files import write_private
from cw.keyring import load_keyring
from cw.models import Task
from cw.settings import load_settings
from cw.states import State
from cw.store.store import Store, open_store
from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import Fleet
from tests.contract.binaries import Claude
from tests.contract.binaries import found as claudes
from tests.needs import need, require
from tests.standins.messages import ApiAccount, bash, text
from tests.waiting import wait_until
from tests.walls import WALLS

SPREAD = 1.0
WORKERS = tuple(f"{number:02}" for number in range(1, 9))
NOBODYS = "sk-ant-oat01-of-nobody"
SETTINGS = {
    "ANTHROPIC_API_KEY": "",
    "CLAUDE_CODE_OAUTH_TOKEN": NOBODYS,
    "CW_ACCOUNT_SPREAD": str(SPREAD),
    "CW_MAX_DEFERRALS": "0",  # what is charged for one fails
    "CW_MAX_ATTEMPTS": "1",
    "CW_RUN_TIME_LIMIT": "600",
}
COMMIT = "date +%N >> fix-{number}.txt; git add -A; git commit -q -m 'Fix #{number}'"
BEATS = 2  # a host that says so often that it lives has looked for work between them


@dataclass(frozen=True)
class Job:
    number: int
    task: str


@dataclass
class Team:
    fleet: Fleet
    claude: Claude
    store: Store
    _tokens: dict[str, str] = field(default_factory=dict)  # by worker

    def account(self, name: str, workers: Sequence[str] = WORKERS) -> ApiAccount:
        """A new one, which these workers are on from now on."""
        account = self.fleet.api.account(f"sk-ant-oat01-{name}")
        self.put(account.credential, name, workers)
        return account

    def put(self, token: str, name: str, workers: Sequence[str]) -> None:
        for worker in workers:
            path = self.fleet.worker(worker) / ".zshenv"
            lines = path.read_text("utf-8").replace(self._tokens.get(worker, NOBODYS), token)
            kept = [line for line in lines.splitlines() if "CW_ACCOUNT" not in line]
            write_private(path, "\n".join([*kept, f"export CW_ACCOUNT={name}\n"]).encode())
            self._tokens[worker] = token
        wait_until(lambda: self.row(name).get("workers") == list(workers), 60, self.fleet.logs)

    def row(self, name: str) -> dict[str, Any]:
        rows: list[dict[str, Any]] = self.fleet.json("accounts")
        return next((row for row in rows if row["name"] == name), {})

    def dispatch(self, count: int, *typed: str, commits: int = 1) -> list[Job]:
        """So many issues, for each of which an agent makes commits; the rest is its host's."""
        hub, api = self.fleet.github, self.fleet.api
        numbers = [hub.add_issue("acme/app", "Fix it", "Do it.") for _ in range(count)]
        for number in numbers:
            work = [bash(COMMIT.format(number=number))] * commits
            api.script(*work, text(f"Fixed #{number}."), match=f"issue-{number}")
        wanted = [part for number in numbers for part in ("-i", str(number))]
        said = self.fleet.json("dispatch", "-r", "acme/app", *wanted, *typed)
        rows = said if isinstance(said, list) else [said]
        return [Job(number, row["task"]) for number, row in zip(numbers, rows, strict=True)]

    def task(self, job: Job) -> Task:
        found = self.store.tasks.get(job.task)
        assert found
        return found

    def states(self, jobs: Sequence[Job]) -> list[State]:
        return [self.task(job).state for job in jobs]

    def all_done(self, jobs: Sequence[Job], seconds: float = 240) -> None:
        def over() -> bool:
            return set(self.states(jobs)) == {State.DONE}

        wait_until(over, seconds, lambda: f"{self.states(jobs)}\n{self.fleet.logs()}")

    def at_rest(self, jobs: Sequence[Job]) -> None:
        wait_until(lambda: State.RUNNING not in self.states(jobs), 60, self.fleet.logs)

    def looked_for_work(self) -> None:
        """Returns once the host has, since this was called."""
        for _ in range(BEATS):
            wait_until(partial(self._said_since, self._said()), 60, self.fleet.logs)

    def _said(self) -> datetime | None:
        return self.store.fleet.hosts()[0].seen_at

    def _said_since(self, before: datetime | None) -> bool:
        return self._said() != before

    def session_of(self, job: Job) -> set[str]:
        """In which the API was asked about its issue."""
        mark = re.compile(rf"issue-{job.number}\b")
        return {one.session for one in self.fleet.api.requests if mark.search(one.text)}

    def assert_delivered(self, jobs: Sequence[Job]) -> None:
        """Each ended as a pull request, in its first session, and was charged nothing."""
        tasks = [self.task(job) for job in jobs]
        ends = [task.outcome.kind.value if task.outcome else "" for task in tasks]
        heads = [pull.head for pull in self.fleet.github.pulls("acme/app")]

        assert set(ends) == {"succeeded"}, self.fleet.logs()
        assert all(heads.count(f"issue-{job.number}") == 1 for job in jobs)
        assert [self.session_of(job) for job in jobs] == [{task.session} for task in tasks]
        assert {(task.deferrals, task.losses) for task in tasks} == {(0, 0)}


def assert_spread(account: ApiAccount, answered: float, first: Sequence[str]) -> None:
    """Of those that went on after the canary was answered (monotonic). `first`: sessions that are
    no news. As many starts as it has workers are apart; each asks some time after its start.
    """
    asked: dict[str, float] = {}
    for request in account.served:
        if request.at > answered:
            asked.setdefault(request.session, request.at)
    times = [at for session, at in asked.items() if session not in first][: len(WORKERS) - 1]
    early = [at - answered - SPREAD * place for place, at in enumerate(times, 1)]
    assert min(early) >= 0, early


@contextmanager
def running_team(settings: dict[str, str] | None = None) -> Iterator[Team]:
    """Eight workers, all on an account that nobody asks about."""
    binaries = claudes()
    require(binaries, "a claude binary")
    require(WALLS, "bubblewrap and socat that work")
    need("gh")
    with running_fleet(binaries[-1].path, SETTINGS | (settings or {})) as fleet:
        fleet.ok("init", *WORKERS[2:])
        given = load_settings(fleet.env())[0]
        store = open_store(broker_url(given), load_keyring(given))
        try:
            yield Team(fleet, binaries[-1], store)
        finally:
            store.connection.close()


def new_gate(account: ApiAccount, rounds: int = 0) -> Event:
    """Behind which its answers wait from now on, in conversations of so many answers of tools."""
    account.gate, account.gated_from = Event(), rounds
    return account.gate
