"""As whom agents run. A host that is root's never starts one as root: to the kernel its own number
for a process decides what is open to it, whatever a namespace shows (Linux 6.18, bubblewrap 0.8.0:
763 switches below /proc/sys could be written from behind `--unshare-user --uid 1000`).
"""

from __future__ import annotations

import os
import pwd
import sys
from dataclasses import dataclass

from cw.errors import BadInputError
from cw.settings import Settings

# Where deploy/install.sh and the image put the program, and the users they make.
_INSTALLED = "/opt/cw"
_MADE = ("worker", "cw")
_WAY_OUT = (
    "Type: useradd --create-home cw-agent && CW_AGENT_USER=cw-agent cw up; or run cw as an ordinary"
    " user"
)


@dataclass(frozen=True, slots=True)
class AgentUser:
    """Never root, nor of root's group."""

    name: str
    uid: int
    gid: int


def agent_user(settings: Settings) -> AgentUser | None:
    """None: the host is no root and runs agents as itself. Raises BadInputError for root without
    such a user.
    """
    if os.geteuid() != 0:
        return None
    name = settings.agent_user or _of_the_installation()
    if not name:
        raise BadInputError(
            "root starts no agents: CW_AGENT_USER has to name the user that they run as",
            hint=_WAY_OUT,
        )
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise BadInputError(
            f"CW_AGENT_USER: there is no user {name}", hint=f"Type: useradd --create-home {name}"
        ) from None
    if not (found.pw_uid and found.pw_gid):
        raise BadInputError(
            f"CW_AGENT_USER: {name} is root, or of root's group; agents never are", hint=_WAY_OUT
        )
    return AgentUser(name, found.pw_uid, found.pw_gid)


def _of_the_installation() -> str:
    if sys.prefix != _INSTALLED:
        return ""
    known = {user.pw_name for user in pwd.getpwall()}
    return next((name for name in _MADE if name in known), "")
