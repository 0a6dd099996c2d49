"""Which walls tests ask for. The rehearsal agent is no claude and has no sandbox of its own."""

import os
import pwd
from dataclasses import replace
from pathlib import Path

from cw.homes.agent_user import AgentUser, agent_user
from cw.homes.layout import Home
from cw.settings import Settings
from workerhost.agents.taking import take_home
from workerhost.walls.isolation import Wall, bubblewrap_works, choose_wall, socat_there
from workerhost.walls.keyring import add_key


def _somebody() -> str:
    """Whom root's agents run as: anybody who is there and is not root will do."""
    known = {one.pw_name for one in pwd.getpwall()} if os.geteuid() == 0 else set()
    return next((one for one in ("daemon", "nobody") if one in known), "")


# For the environment of a host that a test starts: nothing, unless the tests run as root.
AS_ROOT = {"CW_AGENT_USER": name} if (name := _somebody()) else {}
USER: AgentUser | None = agent_user(Settings(agent_user=AS_ROOT.get("CW_AGENT_USER", "")))
WALLS = not (bubblewrap_works(USER) or socat_there())
AROUND_REHEARSAL = "outer" if WALLS else "none"  # CI has bubblewrap: `require(WALLS, ...)` says so


def keyrings() -> bool:
    """Whether keys can be had here: filters of containers refuse them (systemd-nspawn 252)."""
    add_key("cw-test-of-keyrings", 60)
    try:
        return "cw-test-of-keyrings" in Path("/proc/keys").read_text("utf-8", "replace")
    except OSError:
        return False


def choose(settings: Settings) -> Wall:
    """As the host of this machine does."""
    return choose_wall(replace(settings, agent_user=AS_ROOT.get("CW_AGENT_USER", "")))


def outer_wall() -> Wall:
    return choose(Settings(isolation=AROUND_REHEARSAL))


def owned(home: Home) -> Home:
    """A HOME as the host has it before anything runs in it."""
    assert take_home(home, Wall("none", user=USER)) == ""
    return home
