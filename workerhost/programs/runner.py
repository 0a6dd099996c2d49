"""What a host asks an agent program, and the values that go to and fro."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.lastword import Marks
from workerhost.probing.canaries import Canaries
from workerhost.probing.inherited import Inherited
from workerhost.programs.progress import Reading
from workerhost.walls.room import Room


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """All that starts one agent. The prompt is `Home.prompt`, which is its standard input, and the
    rules are in `Home.system_prompt`. `max_usd`, `max_turns`: for a program that looks after what
    it costs itself; 0: no limit.
    """

    binary: Path
    model: str
    session: str
    resume: bool
    cwd: Path
    env: dict[str, str]
    repo_url: str = ""
    repo_path: str = ""
    max_usd: float = 0.0
    max_turns: int = 0
    trusted: bool = False  # the repository's own settings and hooks are loaded


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What is started. `kept`: folders of HOME that outlive the run, with its conversation.
    `emptied`: those of the program's own in which nothing else does.
    """

    argv: list[str]
    env: dict[str, str]
    kept: tuple[Path, ...] = ()
    emptied: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """`wanted`: the oldest that may run, and `fix` how to get it; both empty when this one may."""

    text: str
    wanted: str = ""
    fix: str = ""


class Runner(Protocol):
    """How a host runs one agent program. Each method may raise CwError: then no agent starts."""

    @property
    def name(self) -> str: ...

    @property
    def inner(self) -> bool:
        """Whether it has a sandbox of its own, which CW_ISOLATION=strict puts inside bubblewrap."""

    @property
    def marks(self) -> Marks | None:
        """How its last word is told while it comes; None: its process ends when it is done."""

    def find(self, settings: Settings, environ: Mapping[str, str]) -> Path:
        """Its binary. BadInputError: what was set is no program."""

    def version(self, binary: Path) -> Version: ...

    def rules(self, room: Room, repo_url: str) -> Mapping[str, Any]:
        """What its tools may do, as it is told: for the audit file, and to know what was proven."""

    def prepare(self, room: Room, launch: Launch) -> None:
        """The files that it reads at its start."""

    def command(self, room: Room, launch: Launch) -> Command:
        """With the limits of `settings` that it looks after itself."""

    def begun(self, home: Home, cwd: Path, session: str) -> bool:
        """Whether there is a conversation that can go on."""

    def conversation(self, home: Home, cwd: Path, session: str) -> tuple[Path, ...]:
        """Files and folders of HOME that hold this one and nothing else, there or not."""

    def reading(self) -> Reading: ...

    def probe(self, room: Room, launch: Launch, placed: Canaries, kernels: Inherited) -> str:
        """Its own tools, sent after canaries behind its own sandbox: what was reached, or why that
        could not be found out. Only asked where `inner` is true and wanted. `launch` has neither
        model nor session, and the environment of an agent.
        """
