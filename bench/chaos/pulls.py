"""Pull requests beside the load, in a repository of their own: what their agents do, what CI says
of each, and what became of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.chaos.agentlog import Seen
from bench.chaos.kinds import PACE
from bench.chaos.load import Load, Taken
from cw.names import branch_name
from cw.operations.dispatch.request import Request
from cw.pulls.record import PullRecord
from cw.repos import github_repo
from tests.standins.github.ci import Job, Pushed

REPO = "acme/mended"
SHARED = "shared.txt"
_FOR_EVER = 1_000
_ALIVE_SECONDS = 2.0
# Also what a repair does, in the same conversation or in a new one: it has no prompt of its own.
_COMMITS = f"{PACE}rehearse: slow 0.3\nrehearse: commit-only\n"
_LASTS = (
    f"{PACE}rehearse: commit-break sleep 15\n"  # after its commit, until a person does something
)
_SHARES = (
    f"{PACE}rehearse: commit-break git merge -q -X ours origin/main;"
    f" git branch --show-current >{SHARED}; git add {SHARED}; git commit -q -m Share\n"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """`red`: as long as its file has fewer lines, of which each run writes one. `ends`: what a
    person does while it is mended for the first time. `reviews`: threads, one after the other.
    """

    often: int
    red: int = 0
    ends: str = ""
    reviews: int = 0
    shares: bool = False

    @property
    def prompt(self) -> str:
        return _SHARES if self.shares else _LASTS if self.ends else _COMMITS


KINDS: dict[str, Kind] = {
    "mended": Kind(2, red=2),
    "never green": Kind(2, red=_FOR_EVER),
    "reviewed": Kind(2, reviews=2),
    "shared file": Kind(3, shares=True),
    "merged": Kind(1, red=_FOR_EVER, ends="merge"),
    "closed": Kind(1, red=_FOR_EVER, ends="close"),
    "stopped": Kind(1, red=_FOR_EVER, ends="stop"),
    "pushed": Kind(1, red=_FOR_EVER, ends="push"),
}


@dataclass(slots=True)
class Followed:
    """An issue and what people did about it. `ended_at`: epoch seconds after one has ended it, and
    `touched_at`: after anything of theirs.
    """

    kind: Kind
    issue: int
    taken: list[Taken] = field(default_factory=list)
    reviews: list[int] = field(default_factory=list)  # repairs before each
    ended_at: float = 0.0
    touched_at: float = 0.0

    @property
    def branch(self) -> str:
        return branch_name("", self.issue)


@dataclass
class Pulls:
    """`all`: in the order of their issues."""

    load: Load
    all: list[Followed] = field(default_factory=list)

    def bring(self) -> None:
        hub = self.load.fleet.hub
        hub.ci = self._jobs
        for name, kind in KINDS.items():
            for _ in range(kind.often):
                issue = hub.add_issue(REPO, name, kind.prompt)
                self.all.append(Followed(kind, issue))
        for one in self.all:
            request = Request(
                repo=github_repo(REPO, self.load.settings.github_url),
                issue=one.issue,
                worker=None,
                prompt="",
                model="sonnet",
                by="chaos",
            )
            self.load.bring(request, into=one.taken)

    def repairs(self, one: Followed) -> list[Seen]:
        """Runs that mend it, as their agents wrote down."""
        name = f"{REPO}#{one.issue}"
        return [run for run in self.load.log.read() if run.mends and run.issue == name]

    def mended(self, one: Followed) -> int:
        """How many repairs of it an agent has brought to an end."""
        return len({run.task for run in self.repairs(one) if run.completed})

    def is_mended_now(self, one: Followed) -> bool:
        """An agent is at it, and has not said its last word."""
        fresh = time.time() - _ALIVE_SECONDS
        return any(
            run.said is None and run.rc is None and run.last > fresh for run in self.repairs(one)
        )

    def records(self) -> dict[int, PullRecord]:
        """By issue. Raises CwError."""
        pulls = self.load.store.pulls
        known = [*pulls.open(), *pulls.ended()]
        return {one.issue: one for one in known if one.repo == REPO and one.issue is not None}

    def _jobs(self, pushed: Pushed) -> Iterable[Job]:
        """CI's rule. What is nobody's here is green."""
        kinds = {one.branch: one.kind for one in self.all} if pushed.repo == REPO else {}
        wanted = kinds[pushed.branch].red if pushed.branch in kinds else 0
        lines = (pushed.file(f"REHEARSAL-{pushed.branch}.md") or "").count("\n") if wanted else 0
        log = f"E  AssertionError: {lines} lines\n" if lines < wanted else ""
        yield Job(name="test", conclusion="failure" if log else "success", log=log)
