"""A HOME becomes that of the user whom agents run as, where the host is root's."""

from __future__ import annotations

from cw.errors import CwError
from cw.homes.layout import Home
from cw.homes.owner import take_over
from cw.homes.running import shim_lives
from workerhost.walls.isolation import Wall


def take_home(home: Home, wall: Wall) -> str:
    """Why it is not that user's; empty when it is. An agent of an earlier version, which is root to
    the kernel, keeps what it works in until it has ended.
    """
    if wall.user is None or shim_lives(home):
        return ""
    try:
        take_over(home.path, wall.user.uid, wall.user.gid)
    except CwError as error:
        return error.line()
    except OSError as error:
        return f"{home.path} cannot be given to {wall.user.name}: {error.strerror}"
    return ""
