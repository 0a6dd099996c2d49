"""Which workers' walls have been proven, and for what: a worker without proof gets no agent."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cw.errors import CwError
from cw.homes.files import read_json, read_regular, write_private
from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.walls.isolation import Wall
from workerhost.walls.sandbox import readable_paths

# The probe, and how walls are built.
_PROBING = sorted(
    path for room in ("probing", "walls") for path in Path(__file__).parents[1].glob(f"{room}/*.py")
)
_AGAIN_SECONDS = 60.0  # between two probes of walls that did not hold

Probe = Callable[[Home, Path], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The agent program, as far as a proof depends on it. `find` may raise CwError; `code`: the
    folder of what runs it.
    """

    find: Callable[[], Path]
    rules: Callable[[Home], Mapping[str, Any]]
    code: Path


class Proof:
    """Thread-safe. Proofs are kept in a file of the host; what failed is asked again."""

    def __init__(self, settings: Settings, wall: Wall, subject: Subject, probe: Probe) -> None:
        self._settings = settings
        self._wall = wall
        self._subject = subject
        self._probe = probe
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[str, float]] = {}

    @property
    def failed(self) -> str:
        """Why nothing starts on this host; empty when nothing failed."""
        for worker, (reason, _) in sorted(self._failed.copy().items()):
            return f"the walls around worker {worker} are not proven: {reason}"
        return ""

    def missing(self, home: Home) -> str:
        """Why no agent may start in this HOME; empty when the walls hold. May take seconds."""
        if self._wall.unfit or self._wall.mode == "none":
            return self._wall.unfit
        with self._lock:
            try:
                binary = self._subject.find()
                key = self._key(home, binary)
                reason = "" if self._known().get(home.id) == key else self._probe(home, binary)
            except (CwError, OSError) as error:
                reason = f"the probe could not run: {error}"
            if reason:
                self._failed[home.id] = (reason, time.monotonic())
                return reason
            self._failed.pop(home.id, None)
            self._remember(home, key)
            return ""

    def look_again(self, homes: Mapping[str, Home]) -> None:
        """At those that failed some time ago."""
        for worker, (_, at) in self._failed.copy().items():
            if worker not in homes:
                self._failed.pop(worker, None)
            elif time.monotonic() - at > _AGAIN_SECONDS:
                self.missing(homes[worker])

    def _known(self) -> dict[str, str]:
        return read_json(self._file) or {}

    def _remember(self, home: Home, key: str) -> None:
        known = self._known()
        if known.get(home.id) != key:
            write_private(self._file, json.dumps(known | {home.id: key}).encode())

    @property
    def _file(self) -> Path:
        return self._settings.state_dir / "proven.json"

    def _tools(self) -> tuple[str, ...]:
        return (self._wall.bwrap, self._wall.socat) if self._wall.outer else ()

    def _readable(self, binary: Path) -> tuple[Path, ...]:
        return readable_paths(self._settings, binary, "")

    def _key(self, home: Home, binary: Path) -> str:
        """All that the answer depends on."""
        told = [
            _stamp(binary),
            *(_stamp(Path(tool)) for tool in self._tools()),
            *(_stamp(path) for path in (*_PROBING, *sorted(self._subject.code.glob("*.py")))),
            os.uname().release,
            asdict(self._wall),
            dict(self._subject.rules(home)),
            str(home.path),
            [(str(path), str(path.resolve())) for path in self._readable(binary)],
            _content(home.claude / "settings.json"),
        ]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _stamp(path: Path) -> list[object]:
    seen = path.resolve().stat()
    return [str(path.resolve()), seen.st_size, seen.st_mtime_ns]


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(read_regular(path.resolve())).hexdigest()
    except FileNotFoundError:
        return ""
