"""How a host runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from cw.homes.layout import Home
from cw.reasons import Reason
from cw.settings import Settings
from workerhost.lastword import Marks
from workerhost.probing.canaries import Canaries
from workerhost.probing.inherited import Inherited
from workerhost.programs.progress import Failure, Progress, Result, Taken, Word
from workerhost.programs.runner import Command, Launch, Runner, Version
from workerhost.walls.room import Room

from .program import PLAIN as PROGRAM

_MARKS = Marks(mark=r"^(bye|turn)\t", last=("bye",), work=("turn",))
_WORDS = {"bye": Word.LAST, "turn": Word.WORK}


@dataclass(slots=True)
class Lines:
    """See `workerhost.programs.progress.Reading`."""

    progress: Progress = field(default_factory=Progress)
    _cut: bool = False

    def part(self, piece: bytes) -> None:
        self._cut = True

    def take(self, line: bytes) -> Taken:
        cut, self._cut = self._cut, False
        words = [] if cut else line.decode("utf-8", "replace").split("\t")
        try:
            self._add(words)
        except (ValueError, OverflowError):
            words = []  # an agent wrote that itself
        word = _WORDS.get(words[0] if words else "", Word.OTHER)
        return Taken(word, partial(PROGRAM.events, line if words else b""))

    def _add(self, words: list[str]) -> None:
        match words:
            case ["hello", version, model, session]:
                found = self.progress
                found.version, found.model, found.session = version, model, session
            case ["turn", dollars]:
                self.progress.turns += 1
                self.progress.cost_usd += float(dollars)
            case ["sorry", kind, *more, text]:
                self.progress.failure = _FAILURES[kind](text, *more)
            case ["bye", how, turns, dollars, text]:
                reason = "" if how == "ok" else Reason.AGENT_ERROR
                self.progress.turns, self.progress.cost_usd = int(turns), float(dollars)
                self.progress.result = Result(
                    report=text, last=text, reason=reason, message="" if how == "ok" else text
                )


def _quota(text: str, epoch: str) -> Failure:
    until = datetime.fromtimestamp(float(epoch), UTC)
    return Failure(reason=Reason.USAGE_LIMIT, said=text, until=until)


_FAILURES: dict[str, Callable[..., Failure]] = {
    "busy": lambda text: Failure(reason=Reason.API_UNAVAILABLE, said=text),
    "quota": _quota,
    "login": lambda text: Failure(reason=Reason.AUTHENTICATION_FAILED, said=text),
}


@dataclass(frozen=True, slots=True)
class PlainRunner:
    name: str = "plain"
    inner: bool = False
    marks: Marks | None = _MARKS

    def find(self, settings: Settings, environ: Mapping[str, str]) -> Path:
        return Path(__file__).with_name("agent.py")

    def version(self, binary: Path) -> Version:
        return Version("1.0") if binary.exists() else Version("none", "1.0", "Install it again")

    def rules(self, room: Room, repo_url: str) -> Mapping[str, Any]:
        return {}

    def prepare(self, room: Room, launch: Launch) -> None:
        """It reads no files of its own."""

    def command(self, room: Room, launch: Launch) -> Command:
        own = room.home.path / ".plain"
        argv = [str(launch.binary), "work", f"at={launch.cwd}", f"with={launch.model}"]
        argv += [f"remember={_memory(room.home, launch.session)}"]
        if launch.max_turns:
            argv += [f"turns={launch.max_turns}"]
        return Command(argv=argv, env=launch.env, kept=(own / "memory",), emptied=(own,))

    def begun(self, home: Home, cwd: Path, session: str) -> bool:
        return _memory(home, session).exists()

    def conversation(self, home: Home, cwd: Path, session: str) -> tuple[Path, ...]:
        return (_memory(home, session),)

    def reading(self) -> Lines:
        return Lines()

    def probe(self, room: Room, launch: Launch, placed: Canaries, kernels: Inherited) -> str:
        return "plain has no sandbox of its own"


def _memory(home: Home, session: str) -> Path:
    return home.path / ".plain" / "memory" / session


PLAIN: Runner = PlainRunner()
