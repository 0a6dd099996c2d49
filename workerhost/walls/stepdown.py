"""From root to the user that agents run as, before the wall: what is behind it then is an ordinary
user's to the kernel, too, and gets exactly an ordinary user's wall.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from cw.homes.agent_user import AgentUser
from workerhost.walls import become

_SECONDS = 10
_MOST_LINKS = 80  # the kernel follows 40
# capabilities(7). What a host that is root needs: to make files the user's (CHOWN, DAC_OVERRIDE,
# FOWNER), to end its processes (KILL), to become it (SETGID, SETUID, SETPCAP), and to show it what
# lies in folders that only root may pass (SYS_ADMIN). A container's root has not all of them.
_NEEDED = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "SETGID": 6, "SETUID": 7}
_NEEDED |= {"SETPCAP": 8, "SYS_ADMIN": 21}
_STATUS = Path("/proc/self/status")


def step_down(user: AgentUser | None, paths: Iterable[Path] = ()) -> list[str]:
    """What to put before a command; nothing where the host is not root. `paths`: what the command
    has to reach.
    """
    if user is None:
        return []
    pairs = (word for pair in _opened(user, paths) for word in pair)
    started = [sys.executable, "-I", "-S", become.__file__, f"{user.uid}:{user.gid}"]
    return [*started, *pairs, "--"]


def cannot_step_down(user: AgentUser | None) -> str:
    """Why not; empty when it can. Really does it."""
    if user is None:
        return ""
    held = _capabilities()
    missing = [name for name, number in _NEEDED.items() if not held >> number & 1]
    if missing:
        return f"root here lacks {' '.join(missing)} and cannot run agents as {user.name}"
    try:
        done = subprocess.run(
            [*step_down(user), "/bin/sh", "-c", ":"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"root cannot run agents as {user.name}: {error}"
    said = done.stderr.strip()[:200]
    return f"root cannot run agents as {user.name}: {said}" if done.returncode else ""


def _opened(user: AgentUser, paths: Iterable[Path]) -> list[tuple[str, str]]:
    """A view of the machine as it is, but for the folders that only root may pass on the way to
    `paths`: of such a folder nothing but these is there. Root's HOME (/root) is one, with whatever
    was installed below it. Empty when no folder is in the way.
    """
    found: list[tuple[str, str]] = []
    shown, made = set[Path](), set[Path]()
    for path in sorted(set[Path]().union(*map(_ways, paths))):
        over = next((folder for folder in path.parents if folder in shown | made), None)
        if over is None or over in shown:
            top = closed_above(path, user, over)
            if top is None:
                continue
            found.append(("empty", str(top)))
            made.add(top)
            over = top
        for folder in reversed(path.parents):
            if over in folder.parents and folder not in made:
                found.append(("folder", str(folder)))
                made.add(folder)
        found.append(("shown", str(path)))
        shown.add(path)
    return found


def _ways(path: Path) -> set[Path]:
    """As it is called, and where each link on the way leads: all of it is walked."""
    ways: set[Path] = set()
    while path not in ways and os.path.lexists(path) and len(ways) < _MOST_LINKS:
        ways |= {path, path.parent.resolve() / path.name}
        if path.is_symlink():
            path = path.parent.resolve() / path.readlink()
    return ways


def closed_above(path: Path, user: AgentUser, below: Path | None = None) -> Path | None:
    """The topmost folder on the way, from `below` on, that the user may not pass. One that a link
    leads to counts as what it is, not as what it is called.
    """
    for folder in reversed(path.parents):
        if below and folder != below and below not in folder.parents:
            continue
        seen = folder.stat()
        if seen.st_uid == user.uid:
            passable = seen.st_mode & 0o100
        else:
            passable = seen.st_mode & (0o010 if seen.st_gid == user.gid else 0o001)
        if not passable:
            return folder if folder == folder.resolve() else None
    return None


def _capabilities() -> int:
    """Those in effect, as bits. All of them where nobody can be asked."""
    try:
        lines = _STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return -1
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), -1)
