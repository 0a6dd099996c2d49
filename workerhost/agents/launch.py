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
from dataclasses import dataclass
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
from workerhost.agents.claude import todo_list, transcript
from workerhost.confined import few_processes
from workerhost.walls.cgroup import process_group
from workerhost.walls.isolation import Wall
from workerhost.walls.network_access import listen, reach, through_the_door
from workerhost.walls.policy import (
    forget_what_was_allowed,
    own_startup_files,
    past_the_stubs,
    policy,
    write_policy,
)
from workerhost.walls.sandbox import readable_paths, wrap

_START_SECONDS = 20.0
_EXIT_CODES = range(-64, 256)  # a signal, or what it said


@dataclass(frozen=True, slots=True)
class Launch:
    """All that starts one agent."""

    claude: Path
    model: str
    session: str
    resume: bool
    cwd: Path
    env: dict[str, str]
    repo_url: str = ""
    repo_path: str = ""
    trusted: bool = False  # the repository's own settings and hooks are loaded


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


def start(home: Home, launch: Launch, wall: Wall, settings: Settings) -> None:
    """Start the shim and wait until its agent runs. Raises CwError when it does not."""
    own_startup_files(home)
    forget_what_was_allowed(home)
    write_policy(home, policy(home, wall, settings, launch.repo_url))
    for stale in (home.shim, home.exit):
        stale.unlink(missing_ok=True)
    for said in (home.log, home.errors):
        said.touch(mode=0o600)  # else the shim's, which an agent that opens /dev/stderr may not
    give_own(home)
    with door(home, launch, wall, settings) as (listener, proxy):
        process = _shim(listener, _order(home, launch, wall, settings) | {"proxy": proxy})
    _await(home, process)


@contextmanager
def door(
    home: Home, launch: Launch, wall: Wall, settings: Settings
) -> Iterator[tuple[socket.socket | None, dict[str, object] | None]]:
    """The agent's way to the network: its listening socket, and the proxy the shim has to start."""
    if not wall.outer:
        yield None, None
        return
    told = reach(settings, launch.env, launch.repo_url)
    with listen(home.door) as listener:
        yield listener, told.order(wall.user) | {"fd": listener.fileno()}


def _order(home: Home, launch: Launch, wall: Wall, settings: Settings) -> dict[str, object]:
    return {
        "argv": wrap(
            _few([*claude_argv(home, launch), *_limits(settings)], wall, settings),
            wall=wall,
            home=home,
            readable=readable_paths(settings, launch.claude, launch.repo_path),
            writable=_conversation(home, launch) if wall.outer else (),
            hidden=hidden_logins(home, settings),
            replaced=replaced(home, settings),
            cwd=launch.cwd,
            door=home.door,
        ),
        "env": environment(home, launch, wall),
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


def _few(argv: list[str], wall: Wall, settings: Settings) -> list[str]:
    """Without a wall there is no user namespace to count in."""
    return few_processes(argv, settings.run_max_processes) if wall.outer else argv


def _conversation(home: Home, launch: Launch) -> tuple[Path, ...]:
    """What of .claude outlives the run. Raises CwError for what is no folder in its place."""
    kept = (transcript(home, launch.cwd, launch.session).parent, todo_list(home, launch.session))
    for path in kept:
        if not in_place(home, path):
            raise CwError(f"{path} leads elsewhere", hint="Remove the link on the way to it")
        try:
            make_folders(path)
        except OSError as error:
            raise CwError(f"{path} cannot be made: {error.strerror}") from error
    return kept


def environment(home: Home, launch: Launch, wall: Wall) -> dict[str, str]:
    env = through_the_door(launch.env) if wall.outer else launch.env
    return past_the_stubs(home, env) if wall.inner else env


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


def claude_argv(home: Home, launch: Launch) -> list[str]:
    """The headless call. The prompt comes on stdin: an argument ends at 128 KiB."""
    which = ["--resume", launch.session] if launch.resume else ["--session-id", launch.session]
    return [
        str(launch.claude),
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--model",
        launch.model,
        *which,
        "--settings",
        str(home.policy),
        "--setting-sources",
        # The repository's hooks would run outside claude's sandbox.
        "user,project" if launch.trusted else "user",
        "--strict-mcp-config",  # no servers of the repository's .mcp.json, nor any other
        "--permission-mode",
        "dontAsk",
        "--append-system-prompt-file",
        str(home.system_prompt),
    ]


def _limits(settings: Settings) -> list[str]:
    """What claude itself looks after; both are checked after a turn."""
    turns, usd = settings.run_max_turns, settings.run_max_usd
    return [
        *(["--max-turns", str(turns)] if turns else []),
        *(["--max-budget-usd", f"{usd:g}"] if usd else []),
    ]


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
