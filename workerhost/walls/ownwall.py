"""The wall around what the host runs for itself on data of others: no HOME is there, only what is
named. What runs behind it is the host's own program, with nothing of an agent's in reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cw.errors import CwError
from cw.homes.layout import Home, in_place
from workerhost.walls.isolation import Wall
from workerhost.walls.sandbox import machine, nothing_inherited, through

# What a login may lie in. Data only, or the host's: an agent cannot write programs there.
_LOGINS = (".ssh", ".netrc", ".git-credentials")


def wrap_own(
    argv: list[str],
    *,
    wall: Wall,
    cwd: Path,
    readable: Iterable[Path] = (),
    writable: Iterable[Path] = (),
    door: Path | None = None,
) -> list[str]:
    """`argv` behind it, if the mode has one, as whoever the host is. Raises CwError when the wall
    cannot be built.
    """
    if wall.unfit:
        raise CwError(wall.unfit)
    nothing_inherited()
    if not wall.outer:
        return argv
    command = machine(wall.of_host)
    for path in readable:
        command += ["--ro-bind-try", str(path), str(path)]
    for path in writable:
        command += ["--bind", str(path), str(path)]
    return [*command, "--chdir", str(cwd), *through(door, wall), *argv]


def logins(home: Home) -> tuple[Path, ...]:
    """Files of HOME that log in. A link is not followed: an agent may have made it."""
    found = (home.path / name for name in _LOGINS)
    return tuple(path for path in found if path.exists() and in_place(home, path))
