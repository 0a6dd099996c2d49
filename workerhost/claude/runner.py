"""claude as a host runs it. See `workerhost.programs.runner`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.claude import binary, call
from workerhost.claude.marks import MARKS
from workerhost.claude.policy import forget_what_was_allowed, policy, write_policy
from workerhost.claude.probe import inner
from workerhost.claude.stream import Stream
from workerhost.lastword import Marks
from workerhost.probing.canaries import Canaries
from workerhost.probing.inherited import Inherited
from workerhost.programs.runner import Command, Launch, Runner, Version
from workerhost.walls.room import Room


@dataclass(frozen=True, slots=True)
class ClaudeRunner:
    name: str = "claude"
    inner: bool = True
    marks: Marks | None = MARKS

    def find(self, settings: Settings, environ: Mapping[str, str]) -> Path:
        return binary.find_claude(settings, environ)

    def version(self, claude: Path) -> Version:
        return binary.version(claude)

    def rules(self, room: Room, repo_url: str) -> Mapping[str, Any]:
        return policy(room, repo_url)

    def prepare(self, room: Room, launch: Launch) -> None:
        forget_what_was_allowed(room.home)
        write_policy(room.home, policy(room, launch.repo_url))

    def command(self, room: Room, launch: Launch) -> Command:
        return call.command(room, launch)

    def begun(self, home: Home, cwd: Path, session: str) -> bool:
        return call.transcript(home, cwd, session).exists()

    def conversation(self, home: Home, cwd: Path, session: str) -> tuple[Path, ...]:
        return call.conversation(home, cwd, session)

    def reading(self) -> Stream:
        return Stream()

    def probe(self, room: Room, launch: Launch, placed: Canaries, kernels: Inherited) -> str:
        return inner(room, launch, placed, kernels)


CLAUDE: Runner = ClaudeRunner()
