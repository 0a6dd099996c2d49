"""Whether a repository on this machine can be worked on: found out before an agent is paid."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from cw.errors import BadInputError
from cw.local_repository import read_source, refuse_inside

_SECONDS = 60
_DUBIOUS = "detected dubious ownership"
_PROMISED = r"^remote\..*\.promisor$"


def check_source(path: Path, apart: tuple[Path, ...]) -> None:
    """`apart`: folders that no agent may be shown. Raises BadInputError.

    git itself is asked, as hosts ask it: without the configuration of whoever types this.
    """
    refuse_inside(path, read_source(path), apart)
    done = _git("ls-remote", "--symref", "--", str(path))
    if done.returncode:
        raise _refused(path, done.stderr)
    refs = [line.split("\t")[1] for line in done.stdout.splitlines()]
    branches = [ref for ref in refs if ref.startswith("refs/heads/")]
    if not branches:
        raise BadInputError(f"{path} has no branch yet", hint="Make a first commit there")
    if not done.stdout.startswith("ref: refs/heads/"):
        raise _without_default(path, branches, detached="HEAD" in refs)
    if _git("config", "--type=bool", "--get-regexp", _PROMISED, at=path).stdout.endswith("true\n"):
        raise BadInputError(
            f"{path} is a partial clone: others cannot get from it what it does not have",
            hint="Give the URL that it was cloned from, or a whole clone",
        )


def _without_default(path: Path, branches: list[str], *, detached: bool) -> BadInputError:
    main = branches[0].removeprefix("refs/heads/")
    said = "HEAD is detached" if detached else "HEAD names a branch that has no commit"
    return BadInputError(
        f"{path} has no default branch to start from: its {said}",
        hint=f"Check one out there, for example: git -C {path} switch {main}",
    )


def _refused(path: Path, said: str) -> BadInputError:
    if _DUBIOUS in said:
        return BadInputError(
            f"{path} belongs to {_owner(path)}, and git takes nothing from another user's folder",
            hint="Dispatch as that user, or give a clone that is yours",
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = next((at for at, line in enumerate(lines) if line.startswith("fatal:")), 0)
    # git names unknown extensions on the lines after it.
    reason = " ".join(lines[first : first + 2]).partition(" fatal: Could not read")[0]
    return BadInputError(
        f"git cannot read {path}: {re.sub('^fatal: ', '', reason)[:200] or 'it does not say why'}",
        hint=f"Try it yourself: git ls-remote {path}",
    )


def _owner(path: Path) -> str:
    for place in (path / ".git", path):
        try:
            if place.stat().st_uid != os.geteuid():
                return place.owner()
        except (OSError, KeyError):
            continue
    return "somebody else"


def _git(*args: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
    where = ["-C", str(at), "-c", f"safe.directory={at}"] if at else []
    try:
        return subprocess.run(
            ["git", *where, *args],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise BadInputError("git is not installed", hint="Install git") from error
    except subprocess.TimeoutExpired as error:
        raise BadInputError(f"git did not read {at or args[-1]} within {_SECONDS} s") from error
