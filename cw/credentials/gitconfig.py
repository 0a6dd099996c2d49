"""What the host's git takes of the configurations of a person and of the system: what says how to
log in and by which way, and whose commits are. Nothing else in them decides anything for it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_SECONDS = 20
# `protocol.*`, `transfer.*` and the like are not: what the host relies on it says itself.
_LOGIN = re.compile(
    r"(credential|http)\.|url\..*\.(insteadof|pushinsteadof)$|core\.(sshcommand|gitproxy)$"
    r"|ssh\.variant$",
    re.DOTALL,
)
_OF_SYSTEM = re.compile(r"http\.|ssh\.variant$", re.DOTALL)  # its own authority, its TLS library

Pairs = Iterable[tuple[str, str]]


def login_config(config: Path | None) -> str:
    """For git that logs in: of the system's file how TLS is done there, of `config` all of that."""
    found = [setting for setting in listed(("--system",)) if _OF_SYSTEM.match(setting[0])]
    if config:
        found += [
            setting for setting in listed(("--file", str(config))) if _LOGIN.match(setting[0])
        ]
    return written(found)


def identity(config: Path, home: Path) -> Mapping[str, str]:
    """Who commits by it, as git reads it: `name` and `email` of `user`, `author` and `committer`.
    With what it includes.
    """
    kept = re.compile(r"(user|author|committer)\.(name|email)$")
    found = listed(("--includes", "--file", str(config)), home)
    return {key: value for key, value in found if kept.match(key) and value}


def listed(where: tuple[str, ...], home: Path = Path("/nonexistent")) -> list[tuple[str, str]]:
    """Each key with its value, as git reads a file; none of one that it cannot read."""
    try:
        told = subprocess.run(
            ["git", "config", *where, "--null", "--list"],
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = told.stdout.split("\0") if told.returncode == 0 else []
    return [_pair(line) for line in lines if line]


def _pair(line: str) -> tuple[str, str]:
    """A key without a value is a switch that is on."""
    key, has, value = line.partition("\n")
    return key, value if has else "true"


def written(pairs: Pairs) -> str:
    """As a file that git reads."""
    return "".join(_lines(pairs))


def _lines(pairs: Pairs) -> Iterator[str]:
    for key, value in pairs:
        section, _, name = key.rpartition(".")
        first, has, second = section.partition(".")
        more = f" {_quoted(second)}" if has else ""
        yield f"[{first}{more}]\n\t{name} = {_quoted(value)}\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
