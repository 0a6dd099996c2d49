"""git in a worker's clones, behind the wall: a clone's configuration is the agent's to write."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from cw.errors import WorkspaceError
from cw.settings import Settings
from workerhost.agents.leftovers import OURS
from workerhost.credentials.logins import hidden_from_git, replaced
from workerhost.homes.layout import Home
from workerhost.leaving import HostLeavesError
from workerhost.walls.isolation import Wall
from workerhost.walls.reach import opened, reach, through_the_door
from workerhost.walls.sandbox import wrap
from workerhost.walls.source import shown

_LOCAL_SECONDS = 120
_NETWORK_SECONDS = 1800  # a first clone of a large repository
_POLL_SECONDS = 0.2
_END_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Done:
    ok: bool
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Git:
    """git as one worker. `origin` is the repository's path when it lies on this machine, `url` its
    place elsewhere; `leave` ends a command that uses the network, with HostLeavesError; `login` is
    what such a command, and no other, has in its environment beside `env`.
    """

    home: Home
    wall: Wall
    env: dict[str, str]
    settings: Settings
    origin: Path | None = None
    leave: threading.Event | None = None
    login: Callable[[], Mapping[str, str]] = dict
    url: str = ""

    def run(
        self,
        *args: str,
        at: Path,
        network: bool = False,
        origin_writable: bool = False,
        exact: bool = False,
    ) -> Done:
        """One git command in folder `at`. Hooks and file watchers of the clone do not run.
        `exact`: with the white space at the ends of its output. `network`: never in a clone, whose
        configuration is the agent's and could lead the login elsewhere; raises what `login` raises.
        """
        with self._door(network) as (door, env):
            argv = self._argv(args, at, origin_writable=origin_writable, door=door)
            return self._done(argv, at, env, network=network, exact=exact)

    @contextmanager
    def _door(self, network: bool) -> Iterator[tuple[Path | None, dict[str, str]]]:
        """What it is to see of the network: nothing, unless it needs it."""
        env = {**self.env, **self.login()} if network else self.env
        if not (network and self.wall.outer) or self.origin:
            yield None, env
            return
        told = reach(self.settings, env, self.url)
        with opened(self.home.run / f"net-{token_hex(4)}", told) as door:
            yield door, through_the_door(env)

    def _argv(
        self, args: tuple[str, ...], at: Path, *, origin_writable: bool, door: Path | None
    ) -> list[str]:
        source = shown(self.origin, self.settings)
        return wrap(
            ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *args],
            wall=self.wall,
            home=self.home,
            readable=(*self.settings.sandbox_read, *source.all),
            writable=source.written if origin_writable else (),
            # What a clone has git start needs none of them; ssh to another server does.
            hidden=() if door else hidden_from_git(self.home, self.settings),
            replaced=() if door else replaced(self.home, self.settings),
            cwd=at,
            door=door,
        )

    def _done(
        self, argv: list[str], at: Path, env: dict[str, str], *, network: bool, exact: bool
    ) -> Done:
        process = subprocess.Popen(
            argv,
            cwd=at,
            env=env | OURS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        said = self._until_end(process, network=network)
        if said is None:
            return Done(ok=False, out="", err="git took too long")
        out = said[0] if exact else said[0].strip()
        return Done(ok=process.returncode == 0, out=out, err=said[1].strip())

    def _until_end(
        self, process: subprocess.Popen[str], *, network: bool
    ) -> tuple[str, str] | None:
        """What it said; None when it took too long. Raises HostLeavesError."""
        deadline = time.monotonic() + (_NETWORK_SECONDS if network else _LOCAL_SECONDS)
        while True:
            try:
                return process.communicate(timeout=_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if network and self.leave and self.leave.is_set():
                    _end(process)
                    raise HostLeavesError from None
                if time.monotonic() > deadline:
                    _end(process)
                    return None
            except BaseException:
                _end(process)
                raise

    def need(self, *args: str, at: Path) -> str:
        """The same; raises WorkspaceError with git's own words when it fails."""
        done = self.run(*args, at=at)
        if not done.ok:
            raise WorkspaceError(f"git {args[0]} failed: {last_line(done.err)}")
        return done.out


def _end(process: subprocess.Popen[str]) -> None:
    """Its pipes are closed, not read: what it started may still hold them."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def last_line(text: str) -> str:
    """What git said that matters: its fatal line, else its last one."""
    lines = [one.strip() for one in text.splitlines() if one.strip()]
    fatal = [one for one in lines if one.startswith(("fatal:", "error:"))]
    # What the other side said; git's own line after it only says that there was something.
    refused = [one for one in lines if one.startswith(("! [", "remote: error"))]
    return (refused or fatal or lines or ["no message"])[-1][:300]
