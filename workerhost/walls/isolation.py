"""Which walls stand around the agents of this host. What was asked for and cannot be had makes the
host unfit: it never falls back to less.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from cw.errors import BadInputError
from cw.homes.agent_user import AgentUser, agent_user
from cw.settings import Settings
from workerhost.walls.stepdown import cannot_step_down, step_down

OUTER = ("strict", "outer")
INNER = ("strict", "claude")
_PROBE_SECONDS = 10
_NAMESPACES = (
    *("--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc"),
    *("--unshare-uts", "--unshare-net", "--cap-drop", "ALL"),
)


@dataclass(frozen=True, slots=True)
class Wall:
    """`mode`: strict (bubblewrap around claude, claude's sandbox inside), outer (bubblewrap alone),
    claude (its sandbox alone) or none. `unfit` says why nothing may start, else it is empty.
    """

    mode: str
    unfit: str = ""
    bwrap: str = "bwrap"  # its full path: the agent's PATH must not choose it
    socat: str = "socat"  # the same
    user: AgentUser | None = None  # whom agents run as, where the host is root
    own: bool = False  # what runs behind it is the host's own, with nothing of an agent's in it

    @property
    def outer(self) -> bool:
        return self.mode in OUTER

    @property
    def inner(self) -> bool:
        return self.mode in INNER

    @property
    def of_host(self) -> Wall:
        """The same for what needs to be who the host is."""
        return replace(self, user=None, own=True)

    @property
    def root_without_user(self) -> str:
        """Why nothing starts behind a wall that was not chosen for this host; else empty."""
        return "" if self.user or self.own or os.geteuid() else "root starts no agents"

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
    try:
        user = agent_user(settings)
    except BadInputError as error:
        return Wall(mode, unfit=error.line())
    reason = _missing(mode, user)
    return Wall(
        mode=mode,
        unfit=f"{reason}. cw doctor says how to get it" if reason else "",
        bwrap=shutil.which("bwrap") or "bwrap",
        socat=os.path.realpath(shutil.which("socat") or "socat"),
        user=user,
    )


def _missing(mode: str, user: AgentUser | None) -> str:
    reason = cannot_step_down(user)
    # claude's own sandbox elsewhere than on Linux needs nothing.
    if mode in OUTER or (mode == "claude" and os.uname().sysname == "Linux"):
        reason = reason or bubblewrap_works(user) or socat_there()
    return reason


def socat_there() -> str:
    """Empty when it is, else what is wrong."""
    return "" if shutil.which("socat") else "socat is not installed"


def bubblewrap_works(user: AgentUser | None) -> str:
    """Empty when it works here, for that user, else why not. Really starts one."""
    if not shutil.which("bwrap"):
        return "bubblewrap (bwrap) is not installed"
    bwrap = Path(shutil.which("bwrap") or "bwrap")
    started = [*step_down(user, (bwrap,)), str(bwrap), *namespaces(Wall("strict", user=user))]
    view = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    try:
        done = subprocess.run(
            [*started, *view, "/bin/sh", "-c", ":"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}"
    return "" if done.returncode == 0 else f"bubblewrap does not work: {done.stderr.strip()[:200]}"


def namespaces(wall: Wall) -> list[str]:
    """bubblewrap's words. What is the host's own keeps to HOMEs that are another's: root without
    capabilities may not enter them, and in a user namespace it has none.
    """
    if wall.own and os.geteuid() == 0:
        return [*_NAMESPACES, "--cap-add", "CAP_DAC_OVERRIDE"]
    return [*_NAMESPACES, "--unshare-user"]
