"""Clones that break between two runs, as agents and their tools leave them."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.chaos.agentlog import AgentLog
from bench.chaos.fleet import Fleet, Host
from cw.errors import CwError
from cw.homes.layout import Home
from cw.settings import Settings
from tests.integration.spoiling import HEALED, SET_ASIDE
from workerhost.clones.host_repositories import BusyError, occupied

# By turns. The next task heals these...
_HEALED = (
    *("bare", "broken configuration", "read-only folder", "locks", "sparse checkout"),
    *("skip-worktree", "link in place of a file", "pipe", "read-only .git", "index of rubbish"),
    *("clone without rights", "work tree elsewhere", "detached", "no configuration"),
)
# ... and sets these aside.
_SET_ASIDE = ("pipe for refs", "no .git/HEAD", "link for an index", "broken ref", "no objects")
ALL = (*_HEALED, *_SET_ASIDE)
# Not between two runs of one task: what these leave would be its own work.
_WORK = frozenset(
    {"detached", "read-only folder", "skip-worktree", "link in place of a file", "pipe"}
)
_PATIENCE_SECONDS = 2.0
_POLL_SECONDS = 0.003


def spoiled(clone: Path, name: str) -> bool:
    """False: the agent itself had broken it, in a way that leaves no room for this one."""
    try:
        (HEALED | SET_ASIDE)[name](clone)
    except (subprocess.CalledProcessError, OSError):
        return False
    return True


@dataclass
class Breaking:
    """`done`: which clone was broken how and when (epoch seconds). `going_on`: the workers whose
    tasks have begun and are not over.
    """

    fleet: Fleet
    log: AgentLog
    going_on: Callable[[], Container[str]]
    settings: Settings
    dice: random.Random
    done: list[tuple[Path, str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._todo: list[str] = []

    def strike(self) -> str | None:
        """Returns the worker; None: each was at work all the time."""
        deadline, broken = time.monotonic() + _PATIENCE_SECONDS, self.unused()
        while time.monotonic() < deadline:
            able = [
                (host, home, clone)
                for host in self.fleet.hosts
                for home in host.homes
                if not home.journal.exists()
                for clone in sorted(one.parent for one in home.clones.glob("*/*/.git"))
                if clone not in broken
            ]
            if able and self._break(*self.dice.choice(able)):
                return str(self.done[-1][0])
            time.sleep(_POLL_SECONDS)
        return None

    def _break(self, host: Host, home: Home, clone: Path) -> bool:
        """Whoever begins a run there meanwhile has to wait for us before it looks at a clone."""
        settings = replace(self.settings, state_dir=host.folder / "state")
        name = self._next()
        with suppress(BusyError, CwError), occupied(settings, home, 0):
            between = name in _WORK and home.id in self.going_on()
            free = not home.journal.exists() and not between
            if free and spoiled(clone, name):
                self.done.append((clone, name, time.time()))
                return True
        self._todo.append(name)
        return False

    def _next(self) -> str:
        if not self._todo:
            self._todo = list(ALL)
            self.dice.shuffle(self._todo)
        return self._todo.pop()

    def unused(self) -> set[Path]:
        """Broken clones that no agent has worked in since."""
        latest: dict[str, float] = {}
        for run in self.log.read():
            latest[run.clone] = max(run.start, latest.get(run.clone, 0.0))
        return {clone for clone, _, at in self.done if latest.get(str(clone), 0.0) < at}

    def set_aside(self) -> int:
        """Clones that hosts have put away."""
        places = [home.path / "set-aside" for home in self.fleet.homes]
        return sum(len(list(one.iterdir())) for one in places if one.is_dir())
