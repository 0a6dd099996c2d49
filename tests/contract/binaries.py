"""The claude binaries these facts are checked on, and how their versions differ."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# What differs was seen on these; between them lies the change, we do not know where.
LAST_OLD = (2, 1, 202)
FIRST_NEW = (2, 1, 330)


@dataclass(frozen=True)
class Claude:
    path: Path
    version: tuple[int, ...]

    @property
    def dotted(self) -> str:
        return ".".join(str(part) for part in self.version)

    def differs(self, *, old: T, new: T) -> list[T]:
        """What this version may answer; compare with `in`."""
        if self.version <= LAST_OLD:
            return [old]
        return [new] if self.version >= FIRST_NEW else [old, new]


def found() -> list[Claude]:
    return [Claude(path, _version(path)) for path in _paths()]


def _paths() -> list[Path]:
    named = os.environ.get("CW_TEST_CLAUDES", "")
    if named:
        return [Path(one) for one in named.split(os.pathsep) if one]
    package = importlib.util.find_spec("claude_agent_sdk")
    if package and package.origin:
        bundled = Path(package.origin).parent / "_bundled" / "claude"
        if bundled.exists():
            return [bundled]
    installed = shutil.which("claude")
    return [Path(installed).resolve()] if installed else []


def _version(path: Path) -> tuple[int, ...]:
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "DISABLE_AUTOUPDATER": "1"}
    said = subprocess.run(
        [path, "--version"], check=True, capture_output=True, text=True, timeout=60, env=env
    )
    number = re.match(r"\d+(\.\d+)+", said.stdout)
    assert number, f"no version in {said.stdout!r}"
    return tuple(int(part) for part in number[0].split("."))
