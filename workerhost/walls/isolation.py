"""Which walls stand around the agents of this host. What was asked for and cannot be had makes the
host unfit: it never falls back to less.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

from cw.settings import Settings

OUTER = ("strict", "outer")
INNER = ("strict", "claude")
_PROBE_SECONDS = 10
# To an agent a host that is root looks like an ordinary user, without a single capability: it would
# otherwise own the kernel's switches below /proc/sys. It still owns root's files (`rootonly`).
_AS_ROOT = ("--uid", "1000", "--gid", "1000")


@dataclass(frozen=True, slots=True)
class Wall:
    """`mode`: strict (bubblewrap around claude, claude's sandbox inside), outer (bubblewrap alone),
    claude (its sandbox alone) or none. `unfit` says why nothing may start, else it is empty.
    """

    mode: str
    unfit: str = ""
    bwrap: str = "bwrap"  # its full path: the agent's PATH must not choose it
    socat: str = "socat"  # the same
    root: bool = False  # the host runs as root

    @property
    def outer(self) -> bool:
        return self.mode in OUTER

    @property
    def inner(self) -> bool:
        return self.mode in INNER

    @property
    def warning(self) -> str:
        """What the person who looks at the fleet should know; empty when both walls stand."""
        return "" if self.mode == "strict" else f"CW_ISOLATION={self.mode}: {MEANS[self.mode]}"


MEANS = {
    "strict": "two walls",
    "outer": "agents are kept in their HOMEs by bubblewrap, without claude's own sandbox",
    "claude": "only Bash is kept in, by claude's own sandbox",
    "none": "agents can read and write whatever this user can",
}


def choose_wall(settings: Settings) -> Wall:
    mode = settings.isolation
    reason = _missing(mode)
    return Wall(
        mode=mode,
        unfit=f"{reason}. cw doctor says how to get it" if reason else "",
        bwrap=shutil.which("bwrap") or "bwrap",
        socat=os.path.realpath(shutil.which("socat") or "socat"),
        root=os.geteuid() == 0,
    )


def _missing(mode: str) -> str:
    if mode in OUTER:
        return bubblewrap_works() or socat_there()
    if mode == "claude" and os.uname().sysname == "Linux":  # elsewhere it needs nothing
        return bubblewrap_works() or socat_there()
    return ""


def socat_there() -> str:
    """Empty when it is, else what is wrong."""
    return "" if shutil.which("socat") else "socat is not installed"


def bubblewrap_works() -> str:
    """Empty when it works here, else why not. Really starts one."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed"
    wall = Wall("strict", root=os.geteuid() == 0)
    probe = ["bwrap", *namespaces(wall), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    try:
        done = subprocess.run(
            [*probe, "true"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}"
    return "" if done.returncode == 0 else f"bubblewrap does not work: {done.stderr.strip()[:200]}"


def namespaces(wall: Wall) -> list[str]:
    shared = ["--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc"]
    own = ["--unshare-uts", "--unshare-net", "--unshare-user", "--cap-drop", "ALL"]
    return [*shared, *own, *(_AS_ROOT if wall.root else ())]
