"""Work for the fleet, as people and beat bring it: dispatches, stray hints, sweeps."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.agentlog import AgentLog
from bench.chaos.fleet import TOKEN, Fleet
from bench.chaos.kinds import COMMITS, chosen, needs_issue, reason
from cw.broker.app import RECONCILE_TASK, SWEEP_TASK, make_app, send_hint
from cw.errors import ClaimedError, CwError
from cw.github.client import GitHub
from cw.keyring import load_keyring
from cw.models import TaskSpec
from cw.names import FLEET_QUEUE
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.repos import Repo, github_repo, parse_repo
from cw.settings import Settings, load_settings
from cw.store.store import open_store

APP = "acme/app"
MOVED = "acme/moved"  # what it is called for a while
_LATE_SECONDS = 1.0
_WITH_ISSUE = 0.5  # of those that commit nothing


@dataclass(frozen=True, slots=True)
class Taken:
    """An answered dispatch. `asked` and `at`: epoch seconds before and after the call; `commits`:
    its agent commits something, when left alone.
    """

    spec: TaskSpec
    request: Request
    asked: float
    at: float
    commits: bool

    @property
    def reason(self) -> str:
        """Why its task ends, once its agent has come to its end."""
        return reason(self.request.prompt, issue=self.spec.issue is not None)

    @property
    def repo(self) -> str:
        """The same whatever GitHub called it at that time."""
        return APP if self.spec.github else self.spec.repo


@dataclass
class Load:
    """Thread-safe as far as it is shared."""

    fleet: Fleet
    seed: int
    repos: list[Path]
    taken: list[Taken] = field(default_factory=list)
    brought: int = 0  # pieces of work that are somebody's now
    refused: int = 0  # dispatches that failed, and said so
    hints: int = 0
    doubles: int = 0
    mended: int = 0  # keys
    late_doubles: int = 0
    tried: Counter[int] = field(default_factory=Counter)  # dispatches of the app's issues
    unexpected: list[str] = field(default_factory=list)
    _taking: threading.Lock = field(default_factory=threading.Lock)
    all_brought: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311  repeatable on purpose
        self.settings: Settings = load_settings(self.fleet.env(self.fleet.hosts[0]))[0]
        self.store = open_store(self.fleet.broker.url, load_keyring(self.settings), patience=5)
        self.app = make_app(self.settings)
        self.github = GitHub(self.settings.github_api_url, TOKEN, pace=0)
        self.workers = [home.id for home in self.fleet.homes]
        self.log: AgentLog = self.fleet.log()

    def request(
        self, number: int, *, github: bool, prompt: str = "", issue: bool = True
    ) -> Request:
        """`issue`: it has one, whatever chance says."""
        repo: Repo = (
            github_repo(APP, self.settings.github_url)
            if github
            else parse_repo(
                str(self.dice.choice(self.repos)),
                github_url=self.settings.github_url,
                cwd=Path("/"),
            )
        )
        prompt = prompt or chosen(self.dice, github=github)
        issue = issue or github or needs_issue(prompt) or self.dice.random() < _WITH_ISSUE
        return Request(
            repo=repo,
            issue=number if issue else None,
            worker=self.dice.choice(self.workers) if self.dice.random() < 0.5 else None,
            prompt=prompt,
            model="sonnet",
            by="chaos",
        )

    def bring(
        self, request: Request, *, double: bool = False, into: list[Taken] | None = None
    ) -> None:
        """Until it is taken, as a patient person types it. `double`: twice at the same moment.
        `into`: in the place of `taken`, for what is not held to the common promises.
        """
        promised = into is None
        into = self.taken if into is None else into
        tries: list[bool] = []
        if double:
            self.doubles += 1
            other = threading.Thread(target=lambda: tries.append(self._once(request, into)))
            other.start()
        self._until_taken(request, into, tries)
        if double:
            other.join()
            # What one of both was told of may be what the other one took back.
            if not all(tries) and self._withdrawn(request, into):
                self._until_taken(request, into, tries)
        self.brought += promised

    def _until_taken(self, request: Request, into: list[Taken], tries: list[bool]) -> None:
        while not self.over.is_set():
            tries.append(self._once(request, into))
            if tries[-1]:
                return
            self.over.wait(0.3)

    def _withdrawn(self, request: Request, into: list[Taken]) -> bool:
        """Whether nothing is left of what it was counted as."""
        with self._taking, suppress(CwError):
            for one in [one for one in into if one.request is request]:
                if self.store.tasks.get(one.spec.id) is None:
                    into.remove(one)
        return not any(one.request is request for one in into)

    def _once(self, request: Request, into: list[Taken]) -> bool:
        """Whether the issue is somebody's now."""
        asked = time.time()
        github = self.github if request.repo.github else None
        if request.repo.name == APP and request.issue is not None:
            self.tried[request.issue] += 1
        try:
            done = dispatch(request, self.store, github, self._hint)
        except ClaimedError as error:
            if error.task_id:
                self._count(error.task_id, request, asked, into)
                return True
            self.unexpected.append(error.message)  # a label nobody's task explains
            return False
        except CwError:
            self.refused += 1
            return False
        self._take(done.task, request, asked, into)
        return True

    def _count(self, task: str, request: Request, asked: float, into: list[Taken]) -> None:
        """Perhaps an earlier try made it, whose answer was lost."""
        with suppress(CwError):
            record = self.store.tasks.get(task)
            if record:
                self._take(record.spec, request, asked, into)

    def _take(self, spec: TaskSpec, request: Request, asked: float, into: list[Taken]) -> None:
        with self._taking:
            if all(one.spec.id != spec.id for one in (*self.taken, *into)):
                commits = COMMITS in request.prompt
                into.append(Taken(spec, request, asked, time.time(), commits))

    def going_on(self) -> set[str]:
        """Workers whose tasks have begun and are not over. Raises CwError."""
        tasks = self.store.tasks.open_tasks()
        return {one.worker for one in tasks if one.worker and one.attempt}

    def _hint(self, spec: TaskSpec) -> None:
        send_hint(self.app, spec, spec.wanted_worker)

    def stray_hint(self) -> None:
        """A known task's message again: in its queue, in the pool's or in a stranger's."""
        taken = list(self.taken)
        if not taken:
            return
        spec = self.dice.choice(taken[-40:]).spec
        with suppress(CwError):
            send_hint(self.app, spec, self.dice.choice([spec.wanted_worker, None, *self.workers]))
            self.hints += 1

    def late_double(self) -> None:
        """Somebody wants an issue that was taken a while ago, while its agent is at work. On GitHub
        its label would tell as well; elsewhere the claim alone does.
        """
        now = time.time()
        at_work = {one.task for one in self.log.read() if one.rc is None and now - one.last < 1}
        able = [
            one
            for one in list(self.taken)
            if one.spec.id in at_work
            and one.spec.issue is not None
            and not one.spec.github
            and now - one.at > _LATE_SECONDS
        ]
        if able:
            self.late_doubles += 1
            self._once(self.dice.choice(able).request, self.taken)

    def _mend_keys(self) -> None:
        """As a person does who is told that an account's key is refused."""
        on = {worker.account for worker in self.store.fleet.workers()}
        for account in self.store.accounts.read(on).values():
            if any(hold.until is None for hold in account.holds):
                self.mended += self.store.accounts.resume(account.id, mended=True) > 0

    def beat(self) -> None:
        """A beat beside the two real ones, that knows nothing of theirs."""
        app, tick = make_app(self.settings), 0
        while not self.over.wait(1.0):
            tick += 1
            with suppress(Exception):
                self._mend_keys()
            names = [SWEEP_TASK] + ([RECONCILE_TASK] if tick % 5 == 0 else [])
            for name in names:
                with suppress(Exception):
                    app.send_task(name, queue=FLEET_QUEUE, expires=2)
