"""The host's git, in three places that never meet: with a login in a folder of the host's own,
without one there, and in a worker's clone, behind the wall and with nothing of its configuration.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

from cw.credentials.gitconfig import login_config
from cw.credentials.logins import hidden_from_git, replaced
from cw.errors import LostServerError
from cw.homes.files import write_private
from cw.homes.layout import Home, in_place
from cw.settings import Settings
from workerhost.agents.leftovers import OURS
from workerhost.clones import host_repositories
from workerhost.clones.bounded import Budget, Feeding, Limits, bounded
from workerhost.clones.done import Done
from workerhost.clones.git_environment import at_the_hosts, git_command, nameless, plain
from workerhost.walls.isolation import Wall
from workerhost.walls.network_access import opened, reach, through_the_door
from workerhost.walls.ownwall import logins, wrap_own
from workerhost.walls.proxy_errors import Notes, notes
from workerhost.walls.sandbox import View, wrap
from workerhost.walls.source import shown

NETWORK_SECONDS = 1800.0  # a first clone of a large repository
_NEVER = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What one command may differ in from the others. `seconds` 0: what the settings say."""

    seconds: float = 0.0
    text: int = 8 << 20
    entries: int = 100_000
    feeding: Feeding = Feeding()  # noqa: RUF009  frozen


_USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Git:
    """git as one worker. `origin` is the repository's path when it lies on this machine, `url` its
    place elsewhere; `leave` ends a command that uses the network, with HostLeavesError; `login` is
    what such a command, and no other, has in its environment beside `env`. `budget`: what all that
    is done on an agent's data may take together.
    """

    home: Home
    wall: Wall
    env: dict[str, str]
    settings: Settings
    origin: Path | None = None
    leave: threading.Event | None = None
    login: Callable[[], Mapping[str, str]] = dict
    url: str = ""
    nameless: bool = False  # it goes to somebody else's host, and logs in nowhere
    patience: float = NETWORK_SECONDS  # for one command that uses the network
    budget: Budget | None = None

    def within(self, seconds: float) -> Git:
        """The same, with a new budget. 0: no limit."""
        return replace(self, budget=Budget(seconds or _NEVER))

    @property
    def lost(self) -> bool:
        """A command within its budget had no end of its own: what came of them tells nothing."""
        return self.budget is not None and self.budget.lost

    def inside(
        self,
        *args: str,
        at: Path,
        env: Mapping[str, str],
        readable: tuple[Path, ...] = (),
        bounds: Bounds = _USUAL,
    ) -> Done:
        """In HOME, behind its wall, without network and login. `env` says which repository, and
        has the configuration: see `lens`.
        """
        return self.behind(git_command(args), at=at, env=env, readable=readable, bounds=bounds)

    def behind(
        self,
        command: list[str],
        *,
        at: Path,
        env: Mapping[str, str],
        readable: tuple[Path, ...] = (),
        bounds: Bounds = _USUAL,
    ) -> Done:
        """The same of any command, as whoever agents run as."""
        without = replace(self.settings, github_access="host")
        view = View(
            readable=(*self.settings.sandbox_read, *readable),
            hidden=hidden_from_git(self.home, without),
            replaced=replaced(self.home, without),
            cwd=at,
        )
        argv = wrap(command, self.wall, self.home, view)
        return self._bounded(argv, at, {**plain(self.env), **env}, bounds)

    def own(
        self,
        *args: str,
        at: Path,
        lender: Path | None = None,
        bounds: Bounds = _USUAL,
    ) -> Done:
        """In a bare repository of the host's own, without network and login, and with no HOME in
        sight. `lender`: whose objects it borrows.
        """
        argv = wrap_own(
            git_command(args),
            wall=self.wall,
            cwd=at,
            readable=(*self.settings.sandbox_read, *([lender] if lender else ())),
            writable=(at,),
        )
        env = plain(self.env) | {"GIT_DIR": str(at)}
        return self._bounded(argv, at, env, bounds, umask=host_repositories.OPEN)

    def remote(
        self,
        *args: str,
        at: Path,
        lender: Path | None = None,
        pushes: bool = False,
        bounds: Bounds = _USUAL,
    ) -> Done:
        """With the login and the network, in a folder of the host's own (`at`: a bare repository,
        or an empty one). Only what `pushes` may write to a repository on this machine; what that
        has it run is kept in. Raises what `login` raises.
        """
        env = nameless(self.env) if self.nameless else {**self.env, **self.login()}
        env |= at_the_hosts(at)
        source = shown(self.origin, self.settings)
        with (
            self._configured(env) as config,
            notes() as kept,
            self._door(env, kept) as (door, reached),
        ):
            argv = wrap_own(
                git_command(args),
                wall=self.wall,
                cwd=at,
                readable=(*self._readable(lender), config, *source.all),
                writable=(at, *(source.written if pushes else ())),
                door=door,
            )
            with self._losing():
                done = bounded(
                    argv,
                    cwd=at,
                    env=reached | OURS,
                    limits=self._patient(bounds),
                    feeding=bounds.feeding,
                    leave=self.leave,
                )
            return done if done.ok else replace(done, seen=kept.read())

    def _readable(self, lender: Path | None) -> tuple[Path, ...]:
        own = () if self.nameless else logins(self.home)
        return (*self.settings.sandbox_read, *own, *([lender] if lender else ()))

    def _patient(self, bounds: Bounds) -> Limits:
        return Limits(
            seconds=self.patience,
            text=bounds.text,
            entries=bounds.entries,
            umask=host_repositories.OPEN,
        )

    @contextmanager
    def _configured(self, env: dict[str, str]) -> Iterator[Path]:
        """What the login's git is configured by, and nothing else: it may hold a login itself."""
        named = self.home.path / ".gitconfig"
        wanted = env.get("GIT_CONFIG_GLOBAL") == str(named) and in_place(self.home, named)
        with host_repositories.scratch(self.settings, self.home, "login") as folder:
            path = folder / "gitconfig"
            write_private(path, login_config(named if wanted else None).encode())
            env["GIT_CONFIG_GLOBAL"] = str(path)
            yield path

    @contextmanager
    def _door(
        self, env: dict[str, str], kept: Notes
    ) -> Iterator[tuple[Path | None, dict[str, str]]]:
        if not self.wall.outer or self.origin:
            yield None, env
            return
        told = reach(self.settings, env, self.url)
        path = host_repositories.folder(self.settings, "tmp") / (
            f"{host_repositories.name_of(self.home)}.net-{token_hex(4)}"
        )
        with self._losing(), opened(path, told, self.wall.user, notes=kept) as door:
            yield door, through_the_door(env)

    @contextmanager
    def _losing(self) -> Iterator[None]:
        """Whoever takes a failed command for an answer of git's does not know of its end."""
        try:
            yield
        except LostServerError:
            if self.budget:
                self.budget.lost = True
            raise

    def _bounded(
        self,
        argv: list[str],
        at: Path,
        env: Mapping[str, str],
        bounds: Bounds,
        *,
        umask: int = -1,
    ) -> Done:
        budget = Budget(bounds.seconds or self.settings.git_seconds or _NEVER)
        if self.budget and not bounds.seconds:
            budget = self.budget
        limits = Limits(
            seconds=budget.left,
            memory_mb=self.settings.git_memory_mb,
            text=bounds.text,
            entries=bounds.entries,
            umask=umask,
        )
        with budget.spent(), self._losing():
            return bounded(argv, cwd=at, env={**env} | OURS, limits=limits, feeding=bounds.feeding)
