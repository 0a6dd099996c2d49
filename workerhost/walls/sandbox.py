"""The outer wall: bubblewrap around the whole agent. Only HOME is writable, with one way out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cw.credentials.agentenv import own_gh
from cw.errors import CwError
from cw.homes.layout import Home, in_place
from cw.settings import Settings
from workerhost.walls.isolation import Wall, namespaces
from workerhost.walls.keyring import new_session_keyring
from workerhost.walls.network_access import DOOR, PORT
from workerhost.walls.source import shown
from workerhost.walls.stepdown import step_down

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix", "/etc")
_EMPTY = ("/tmp", "/var/tmp", "/run", "/home", "/root")  # noqa: S108  these are emptied, not used
# Waits until the port is open, then becomes the program itself, so that signals reach that; socat
# ends with the process namespace.
_OPEN_DOOR = (
    f'"$0" TCP-LISTEN:{PORT},bind=127.0.0.1,fork,reuseaddr UNIX-CONNECT:{DOOR}'
    " </dev/null >/dev/null 2>&1 & "
    f"until grep -qs ' 0100007F:{PORT:04X} ' /proc/net/tcp; do"
    ' kill -0 $! || exit 127; sleep 0.01; done; exec "$@"'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What there is behind the wall beside the system and HOME. `readable` and `writable` are bound
    at their own places, `writable` at the end; what is `hidden` of HOME is empty inside, as
    are the folders in `emptied`, and for what is `replaced` there is something else: (what, where).
    `door` is a proxy's socket; without one there is no network.
    """

    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    replaced: tuple[tuple[Path, Path], ...] = ()
    emptied: tuple[Path, ...] = ()
    cwd: Path | None = None
    door: Path | None = None


_NOTHING_MORE = View()


def wrap(argv: list[str], wall: Wall, home: Home, view: View = _NOTHING_MORE) -> list[str]:
    """`argv` behind the wall. Nothing else of the machine is there: no other HOME, no /tmp, no
    /run, no broker's socket.

    This thread, and what it starts next, gets a session keyring of its own. The environment is the
    caller's to clear. Raises CwError when the wall cannot be built.
    """
    if wall.unfit or wall.root_without_user:
        raise CwError(wall.unfit or wall.root_without_user)
    nothing_inherited()
    before = step_down(wall.user, _reached(wall, home, view))
    if not wall.outer:
        return [*before, *_own_ipc(wall), *argv]
    command = [*before, *machine(wall)]
    for path in view.readable:
        command += ["--ro-bind-try", str(path), str(path)]
    command += ["--bind", str(home.path), str(home.path)]
    command += _host_owned(home, view.emptied)
    command += _hidden(home, view.hidden)
    for what, where in view.replaced:
        command += ["--ro-bind", str(what), str(where)]
    for path in view.writable:
        command += ["--bind", str(path), str(path)]
    command += ["--chdir", str(view.cwd or home.path)]
    return [*command, *through(view.door, wall), *argv]


def machine(wall: Wall) -> list[str]:
    """What every wall begins with: the system, and nothing of anybody's."""
    command = [wall.bwrap, *namespaces(wall)]
    for path in _SYSTEM:
        command += _system(path)
    for path in _EMPTY:
        command += ["--tmpfs", path]
    switches = _switches() if wall.own else ()
    return [*command, "--proc", "/proc", "--dev", "/dev", *switches, *_resolver()]


def _system(path: str) -> list[str]:
    """A link within the system stays one: for each mount that bubblewrap makes it reads all."""
    target = os.readlink(path) if os.path.islink(path) else ""  # noqa: PTH114, PTH115
    if target.startswith("usr/"):
        return ["--symlink", target, path]
    return ["--ro-bind-try", path, path] if os.path.lexists(path) else []


def through(door: Path | None, wall: Wall) -> list[str]:
    """The last of bubblewrap's words, and what stands before the command itself."""
    if not door:
        return ["--"]
    return ["--ro-bind", str(door), DOOR, "--", "/bin/sh", "-c", _OPEN_DOOR, wall.socat]


def nothing_inherited() -> None:
    """Raises CwError."""
    try:
        new_session_keyring()
    except OSError as error:
        raise CwError(f"nothing starts: {error.strerror}") from error


def _own_ipc(wall: Wall) -> list[str]:
    """claude's own sandbox leaves it shared (2.1.202)."""
    if wall.mode != "claude" or os.uname().sysname != "Linux":
        return []
    shared = ("--tmpfs", "/dev/shm") if Path("/dev/shm").is_dir() else ()  # noqa: S108
    return [wall.bwrap, "--die-with-parent", "--unshare-ipc", "--dev-bind", "/", "/", *shared, "--"]


def _reached(wall: Wall, home: Home, view: View) -> Iterator[Path]:
    """What has to be in reach of the user that agents run as, for the wall to be built."""
    yield from (home.path, *view.readable, *view.writable)
    yield from (Path(tool) for tool in (wall.bwrap, wall.socat) if wall.outer and "/" in tool)
    if view.door:
        yield view.door


def readable_paths(settings: Settings, binary: Path | None, repo_path: str) -> tuple[Path, ...]:
    """What an agent may read beside the system and its HOME. Raises WorkspaceError."""
    found = list(settings.sandbox_read)
    if binary:
        found += [binary, binary.resolve(), *own_gh(settings)]
    found += shown(Path(repo_path) if repo_path else None, settings).all
    return tuple(dict.fromkeys(found))


def _host_owned(home: Home, emptied: tuple[Path, ...]) -> list[str]:
    """What lies in HOME but is not the agent's. A link that an agent made in its place is not
    followed. The logins are not even readable: they are in the agent's environment.
    """
    # Whatever else is written into .claude ends with the run: claude of the next one would read it.
    own = [path for path in (home.claude, *emptied) if path.exists() and in_place(home, path)]
    empty = [word for path in own for word in ("--tmpfs", str(path))]
    owned = (*home.host_owned, home.claude / ".credentials.json")
    binds = [("--ro-bind", path, path) for path in owned if path != home.zshenv]
    binds.append(("--ro-bind", Path("/dev/null"), home.zshenv))
    found = [bind for bind in binds if bind[2].exists() and in_place(home, bind[2])]
    return [*empty, *(str(word) for bind in found for word in bind)]


def _hidden(home: Home, hidden: tuple[Path, ...]) -> list[str]:
    """The folders on the way to it are mounts, too: one that only contains mounts could be moved,
    and what is below it would be found there by the next run.
    """
    ways = (way for path in hidden for way in reversed(path.parents) if home.path in way.parents)
    words = [word for way in dict.fromkeys(ways) for word in ("--bind", str(way), str(way))]
    for path in hidden:
        words += ["--tmpfs", str(path)] if path.is_dir() else ["--dev-bind", os.devnull, str(path)]
    return words


def _switches() -> list[str]:
    """The kernel's. bubblewrap 0.8.0 leaves them to root: it looks whether the folder can be
    written to, and root without capabilities may write only to what is in it.
    """
    found = ("sys", "sysrq-trigger", "irq", "bus", "acpi")
    places = [f"/proc/{name}" for name in found if Path("/proc", name).exists()]
    return [word for place in places for word in ("--ro-bind", place, place)]


def _resolver() -> list[str]:
    """/etc/resolv.conf often points below /run, which is empty inside."""
    real = Path("/etc/resolv.conf").resolve()
    return ["--ro-bind-try", str(real), str(real)] if real.is_relative_to("/run") else []
