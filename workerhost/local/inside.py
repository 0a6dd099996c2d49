"""What `cw doctor` finds from where agents are: behind the wall, on their PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cw.check import Check
from cw.credentials.agentenv import gh_beside, search_path
from cw.errors import CwError
from cw.homes.layout import Home
from cw.services.installed import how_to_add
from cw.settings import Settings
from workerhost.programs.known import runner_of
from workerhost.walls.isolation import Wall, choose_wall
from workerhost.walls.sandbox import View, readable_paths, wrap

_SECONDS = 15
_HOW_TO_GET = {
    "git": "apt install git (or brew install git)",
    "gh": "apt install gh",
    "python3": "apt install python3",
}
_NOT_FOUND = 127  # a shell's status for a program that it does not find
_ASK = 'command -v "$0" >/dev/null || exit 127; "$0" --version </dev/null 2>&1 | head -n 1'


def inside_checks(
    settings: Settings, environ: Mapping[str, str], programs: tuple[str, ...]
) -> Iterator[Check]:
    """`programs`: those that somebody asked for, beside the usual."""
    wall = choose_wall(settings)
    for name in dict.fromkeys((*_HOW_TO_GET, *programs)):
        yield _check(settings, environ, wall, name)


def _hidden_gh(settings: Settings) -> Path | None:
    """That came with cw and is not shown to agents, as nothing hides what lies beside it."""
    return None if settings.isolation in {"strict", "outer"} else gh_beside()


def _check(settings: Settings, environ: Mapping[str, str], wall: Wall, name: str) -> Check:
    title = f"agents' {name}"
    try:
        said = _version(settings, environ, wall, name)
    except (OSError, CwError, subprocess.SubprocessError) as error:
        why = error.line() if isinstance(error, CwError) else type(error).__name__
        return Check(title, "warn", f"it was not found out what agents find: {why}")
    if said is not None:
        return Check(title, "ok", said or "is there")
    how = _how_to_get(name)
    if name == "gh" and (came := _hidden_gh(settings)):
        text = f"{came} came with cw, and agents find it only behind bubblewrap"
        return Check(title, "warn", text, "apt install gh; or CW_ISOLATION=strict")
    here = shutil.which(name, path=environ.get("PATH"))
    if here:
        text = f"agents do not find it: {here} is not where they look"
        return Check(title, "warn", text, f"{how}; or CW_SANDBOX_READ={Path(here).parent}")
    without = "; agents open pull requests without it" if name == "gh" else ""
    return Check(title, "fail" if name == "git" else "warn", f"not installed{without}", how)


def _how_to_get(name: str) -> str:
    if name == "gh":
        return f"{how_to_add('gh')}, or {_HOW_TO_GET[name]}"
    return _HOW_TO_GET.get(name, "Install it where all find it, such as /usr/local/bin")


def _version(settings: Settings, environ: Mapping[str, str], wall: Wall, name: str) -> str | None:
    """What it says about itself; None: an agent does not find it."""
    with tempfile.TemporaryDirectory(prefix="cw-doctor-") as room:
        argv, env = ["/bin/sh", "-c", _ASK, name], {"HOME": room, "LANG": "C.UTF-8"}
        if wall.outer and not wall.unfit:
            view = View(readable=readable_paths(settings, _binary(settings, environ), ""))
            argv = wrap(argv, wall, _home(Path(room), wall), view)
        done = subprocess.run(
            argv,
            env={
                **env,
                "PATH": search_path(settings, environ),
                "GH_NO_UPDATE_NOTIFIER": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode == _NOT_FOUND:
        return None
    if done.returncode:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        raise CwError(said.splitlines()[-1])
    return done.stdout.strip()


def _home(room: Path, wall: Wall) -> Home:
    """One of nobody's: workers' own may not be their agents' yet, or be busy."""
    home = Home(room / "nobody")
    home.path.mkdir(mode=0o700)
    if wall.user:
        room.chmod(0o711)
        os.chown(home.path, wall.user.uid, wall.user.gid)
    return home


def _binary(settings: Settings, environ: Mapping[str, str]) -> Path | None:
    """The agent's own, if it is there."""
    try:
        return runner_of(settings).find(settings, environ)
    except CwError:
        return None
