"""Starting an agent under its shim, and finding, stopping and outliving shims."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cw.credentials.logins import hidden_logins, replaced
from cw.errors import CwError
from cw.homes.files import read_json
from cw.homes.layout import Home, in_place
from cw.homes.owner import give_own, make_folders
from cw.homes.running import shim_lives
from cw.models import MALFORMED
from cw.settings import Settings
from workerhost import shim
from workerhost.confined import few_processes
from workerhost.programs.runner import Command, Launch, Runner
from workerhost.walls.cgroup import process_group
from workerhost.walls.isolation import Wall
from workerhost.walls.network_access import listen, reach, through_the_door
from workerhost.walls.room import Room
from workerhost.walls.sandbox import View, readable_paths, wrap
from workerhost.walls.startup_files import own_startup_files

_START_SECONDS = 20.0
_EXIT_CODES = range(-64, 256)  # a signal, or what it said


@dataclass(frozen=True, slots=True)
class Exit:
    """How a run's process tree ended. `cause`: as the shim says."""

    rc: int
    cause: str
    started_at: float
    ended_at: float
    max_rss_kb: int = 0
    refused_processes: int = 0  # as far as the kernel counts them
    error: str = ""


def start(room: Room, launch: Launch, runner: Runner) -> None:
    """Start the shim and wait until its agent runs. Raises CwError when it does not."""
    home = room.home
    own_startup_files(home)
    runner.prepare(room, launch)
    for stale in (home.shim, home.exit):
        stale.unlink(missing_ok=True)
    for said in (home.log, home.errors):
        said.touch(mode=0o600)  # else the shim's, which an agent that opens /dev/stderr may not
    give_own(home)
    with _door(room, launch) as (listener, proxy):
        order = _order(room, launch, runner.command(room, _behind(room, launch)))
        process = _shim(listener, order | {"proxy": proxy, "marks": runner.marks})
    _await(home, process)


@contextmanager
def _door(
    room: Room, launch: Launch
) -> Iterator[tuple[socket.socket | None, dict[str, object] | None]]:
    """The agent's way to the network: its listening socket, and the proxy the shim has to start."""
    if not room.wall.outer:
        yield None, None
        return
    told = reach(room.settings, launch.env, launch.repo_url)
    with listen(room.home.door) as listener:
        yield listener, told.order(room.wall.user) | {"fd": listener.fileno()}


def _behind(room: Room, launch: Launch) -> Launch:
    """The same as it is where everything asks the proxy."""
    return replace(launch, env=through_the_door(launch.env)) if room.wall.outer else launch


def _order(room: Room, launch: Launch, command: Command) -> dict[str, object]:
    home, wall, settings = room.home, room.wall, room.settings
    return {
        "argv": wrap(_few(command.argv, wall, settings), wall, home, _view(room, launch, command)),
        "env": command.env,
        "cwd": str(launch.cwd),
        "stdin": str(home.prompt),
        "stdout": str(home.log),
        "stderr": str(home.errors),
        "state": str(home.shim),
        "exit": str(home.exit),
        "grace_s": settings.stop_grace,
        "rest_s": settings.run_rest,
        "limit_s": settings.run_time_limit,
        "silence_s": settings.run_silence_limit,
        "memory_mb": settings.run_memory_mb,
        "min_free_mb": settings.min_free_mb / 10,
        "log_mb": settings.run_log_mb,
        "cgroup": str(process_group(home, wall, settings.run_max_processes) or ""),
    }


def _view(room: Room, launch: Launch, command: Command) -> View:
    home, settings = room.home, room.settings
    _make_kept(home, command.kept)
    return View(
        readable=readable_paths(settings, launch.binary, launch.repo_path),
        writable=command.kept if room.wall.outer else (),
        hidden=hidden_logins(home, settings),
        replaced=replaced(home, settings),
        emptied=command.emptied,
        cwd=launch.cwd,
        door=home.door,
    )


def _make_kept(home: Home, kept: tuple[Path, ...]) -> None:
    """What of the program's own folders outlives the run. Raises CwError for what is no folder in
    its place.
    """
    for path in kept:
        if not in_place(home, path):
            raise CwError(f"{path} leads elsewhere", hint="Remove the link on the way to it")
        try:
            make_folders(path)
        except OSError as error:
            raise CwError(f"{path} cannot be made: {error.strerror}") from error


def _few(argv: list[str], wall: Wall, settings: Settings) -> list[str]:
    """Without a wall there is no user namespace to count in."""
    return few_processes(argv, settings.run_max_processes) if wall.outer else argv


def _shim(listener: socket.socket | None, order: dict[str, object]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", shim.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.defpath},
        start_new_session=True,
        pass_fds=[listener.fileno()] if listener else [],
    )
    with process.stdin as order_pipe:  # type: ignore[union-attr]
        order_pipe.write(json.dumps(order).encode())
    return process


def _await(home: Home, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if home.shim.exists() or home.exit.exists():
            ended = read_exit(home)
            if ended and ended.error:
                raise CwError(f"the agent could not be started: {ended.error}")
            return
        if process.poll() not in {None, 0}:
            break
        time.sleep(0.02)
    process.kill()  # so that it cannot start an agent that nobody watches
    process.wait()
    raise CwError("the agent's shim did not start")


def stop(home: Home) -> bool:
    """Ask the shim to stop its run. False when there is none."""
    data = read_json(home.shim)
    if not data or not shim_lives(home):
        return False
    try:
        os.kill(int(data["pid"]), signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def read_exit(home: Home) -> Exit | None:
    """None when there is none, or when it says what no process ends with."""
    data = read_json(home.exit) or {}
    try:
        if (rc := int(data["rc"])) not in _EXIT_CODES:
            return None
        return Exit(
            rc=rc,
            cause=str(data["cause"]),
            started_at=float(data["started_at"]),
            ended_at=float(data["ended_at"]),
            max_rss_kb=int(data.get("max_rss_kb", 0)),
            refused_processes=int(data.get("refused_processes", 0)),
            error=str(data.get("error", "")),
        )
    except (KeyError, *MALFORMED):
        return None
