"""A machine that is about to join a fleet, and what it is told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from cw.keyring import new_key

FLEET, OTHER = new_key(), new_key()
Written = Callable[[], dict[str, bytes]]


def file(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def values(config: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads(config.read_text())


def refused(done: CompletedProcess[str], code: int = 2) -> str:
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stdout + done.stderr
    assert "unexpected" not in done.stderr
    return done.stderr
