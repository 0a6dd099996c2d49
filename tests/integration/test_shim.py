"""The shim with real processes: it owns a tree, records its end, and leaves nothing of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cw import processid
from cw.errors import CwError
from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.settings import Settings
from tests.needs import need, require
from tests.waiting import wait_until
from tests.walls import USER, WALLS, owned
from workerhost import shim
from workerhost.agents import launch
from workerhost.claude.marks import MARKS
from workerhost.claude.runner import CLAUDE
from workerhost.programs.runner import Launch
from workerhost.walls.isolation import Wall
from workerhost.walls.room import Room
from workerhost.walls.sandbox import View, wrap

DEAF = "trap '' INT TERM; echo ready; while :; do sleep 0.05; done"
WALLED = [False, True]
PYTHON = tuple(map(Path, (sys.executable, sys.prefix, sys.base_prefix)))


@dataclass
class Shims:
    """Starts shims in a HOME and ends what is left of them."""

    home: Home
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    mark: str = field(default_factory=lambda: f"mark-{uuid.uuid4().hex}")

    def start(
        self, *argv: str, walled: bool = False, pass_fds: Sequence[int] = (), **changed: Any
    ) -> subprocess.Popen[bytes]:
        if walled:
            require(WALLS, "a bwrap that works")
        path = self.home
        path.prompt.write_bytes(b"given\n")
        wall = Wall("outer" if walled else "none", user=USER)
        order = {
            "argv": wrap(
                list(argv), wall=wall, home=path, view=View(readable=PYTHON, cwd=path.path)
            ),
            "env": {"PATH": os.environ["PATH"], "MARK": self.mark},
            "cwd": str(path.path),
            "stdin": str(path.prompt),
            "stdout": str(path.log),
            "stderr": str(path.errors),
            "state": str(path.shim),
            "exit": str(path.exit),
            "grace_s": 0.3,
            "limit_s": 0,
            "marks": MARKS,
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", shim.__file__],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self.started.append(process)
        assert process.stdin
        process.stdin.write(json.dumps(order | changed).encode())
        process.stdin.close()
        return process

    def ended(self) -> launch.Exit:
        wait_until(self.home.exit.exists, what="the exit record")
        found = launch.read_exit(self.home)
        assert found
        return found

    def said(self, word: str) -> None:
        wait_until(lambda: word in self.log(), what=f"{word} in the log")

    def log(self) -> str:
        return self.home.log.read_text("utf-8") if self.home.log.exists() else ""

    def left(self) -> list[str]:
        """Commands of the living processes that carry our mark."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().decode())
            except OSError:
                continue
        return found


@pytest.fixture
def shims(tmp_path: Path) -> Iterator[Shims]:
    home = Home(tmp_path / "01")
    home.run.mkdir(parents=True)
    made = Shims(owned(home))
    yield made
    for process in made.started:
        process.terminate()
        process.wait(20)
    wait_until(lambda: not made.left(), what="the end of everything the test started")


def test_end_is_recorded_with_code_and_times(shims: Shims) -> None:
    process = shims.start("sh", "-c", "cat; echo err >&2; exit 7")

    ended = shims.ended()

    assert (ended.rc, ended.cause, ended.error) == (7, "exit", "")
    assert 0 < ended.started_at <= ended.ended_at
    assert ended.max_rss_kb > 0
    assert shims.log() == "given\n"
    assert shims.home.errors.read_text("utf-8") == "err\n"
    assert process.wait(10) == 0
    assert shims.home.log.stat().st_mode & 0o777 == 0o600


def test_agent_killed_by_a_signal_is_recorded_as_shells_do(shims: Shims) -> None:
    shims.start("sh", "-c", "kill -9 $$")

    assert (shims.ended().rc, shims.ended().cause) == (137, "exit")


def test_program_that_is_missing_is_an_error_record(shims: Shims) -> None:
    process = shims.start("/nonexistent/claude")

    ended = shims.ended()

    assert (ended.rc, ended.cause) == (127, "exit")
    if USER:  # root's had to become another before
        assert "nonexistent" in shims.home.errors.read_text("utf-8")
        return
    assert "nonexistent" in ended.error
    assert process.wait(10) == 1
    assert not shims.home.shim.exists()


def test_hangup_does_not_end_a_run(shims: Shims) -> None:
    process = shims.start("sh", "-c", "echo ready; sleep 0.3; exit 3")
    shims.said("ready")

    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)

    assert shims.ended().rc == 3


@pytest.mark.parametrize("walled", WALLED)
@pytest.mark.parametrize(
    ("script", "rc"),
    [
        ("trap 'echo interrupted; exit 1' INT; echo ready; while :; do sleep 0.05; done", 1),
        ("trap '' INT; trap 'exit 143' TERM; echo ready; while :; do sleep 0.05; done", 143),
        (DEAF, 137),
    ],
    ids=["interrupt", "terminate", "kill"],
)
def test_stop_asks_nicely_before_it_kills(shims: Shims, script: str, rc: int, walled: bool) -> None:
    process = shims.start("bash", "-c", script, walled=walled)
    shims.said("ready")

    process.terminate()

    assert (shims.ended().rc, shims.ended().cause) == (rc, "stopped")
    assert shims.left() == []


@pytest.mark.parametrize("walled", WALLED)
def test_run_that_takes_too_long_is_ended(shims: Shims, walled: bool) -> None:
    shims.start("bash", "-c", DEAF, walled=walled, limit_s=0.5)

    assert (shims.ended().rc, shims.ended().cause) == (137, "time_limit")
    assert shims.left() == []


@pytest.mark.parametrize("walled", WALLED)
def test_what_daemonised_itself_ends_with_the_run(shims: Shims, walled: bool) -> None:
    """New session, two forks, parent gone: only a subreaper or a namespace still knows it."""
    daemon = "(setsid sh -c 'echo away; sleep 600 & sleep 600' </dev/null 2>&1 &) ; sleep 0.3"
    shims.start("bash", "-c", f"{daemon}; echo done", walled=walled)
    shims.said("done")

    assert shims.ended().rc == 0
    assert "away" in shims.log()
    assert shims.left() == []


def test_killed_shim_takes_the_walled_tree_with_it(shims: Shims) -> None:
    shims.start("bash", "-c", f"(setsid sleep 600 &); sleep 600 & {DEAF}", walled=True)
    shims.said("ready")

    shims.started[0].kill()

    wait_until(lambda: not shims.left(), what="the end of the tree")
    assert launch.read_exit(shims.home) is None
    assert not shim_lives(shims.home)


def test_killed_shim_takes_an_agent_without_a_wall_with_it(shims: Shims) -> None:
    """Otherwise a second run of the task would meet the first."""
    shims.start("sh", "-c", "echo ready; exec sleep 600")
    shims.said("ready")

    shims.started[0].kill()

    wait_until(lambda: not shims.left(), what="the end of the agent")


def test_zombies_of_orphans_are_collected_while_the_agent_runs(shims: Shims) -> None:
    process = shims.start("sh", "-c", "(sh -c 'sleep 0.1 & sleep 0.1 &' &); echo ready; sleep 600")
    shims.said("ready")

    wait_until(lambda: children(process.pid) == 1, what="the orphans to be collected")
    process.terminate()
    shims.ended()


def children(pid: int) -> int:
    return len(Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split())


@pytest.fixture
def alive(shims: Shims) -> dict[str, Any]:
    shims.start("sh", "-c", "echo ready; sleep 600")
    shims.said("ready")
    wait_until(lambda: shim_lives(shims.home), what="the shim's record")
    data: dict[str, Any] = json.loads(shims.home.shim.read_bytes())
    return data


Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data | {"start": str(int(data["start"]) - 1)},  # the number was used again
        lambda data: data | {"start": ""},
        lambda data: data | {"boot": "another boot"},
        lambda data: data | {"pid": 2**22 + 1},
    ],
    ids=["start", "no start", "boot", "no process"],
)
def test_another_process_is_not_taken_for_the_shim(
    shims: Shims, alive: dict[str, Any], change: Change
) -> None:
    shims.home.shim.write_text(json.dumps(change(alive)), "utf-8")

    assert not shim_lives(shims.home)
    assert not launch.stop(shims.home)
    assert shims.started[0].poll() is None


def test_host_stops_a_run_by_its_home_alone(shims: Shims, alive: dict[str, Any]) -> None:
    assert alive["pid"] == shims.started[0].pid
    assert launch.stop(shims.home)

    assert shims.ended().cause == "stopped"
    shims.started[0].wait(10)
    assert not shim_lives(shims.home)


def test_process_that_ended_but_was_not_collected_is_not_alive() -> None:
    child = subprocess.Popen([need("sleep"), "600"])
    known = shim.process_id(child.pid)
    child.kill()
    wait_until(lambda: processid.start_time(child.pid) == "", what="the zombie")
    child.wait()

    assert known["start"]
    assert known["boot"] == processid.boot_id()


def test_missing_agent_is_told_to_whoever_starts_it(shims: Shims) -> None:
    shims.home.prompt.write_bytes(b"")
    shims.home.system_prompt.write_bytes(b"")
    shims.home.claude.mkdir()
    order = Launch(
        binary=Path("/nonexistent"),
        model="sonnet",
        session="s",
        resume=False,
        cwd=shims.home.path,
        env={},
    )
    room = Room(shims.home, Wall("none", user=USER), Settings())

    with pytest.raises(CwError, match="could not be started") if USER is None else nullcontext():
        launch.start(room, order, CLAUDE)

    wait_until(lambda: not shim_lives(shims.home), what="the shim's end")
    assert shims.ended().rc == 127
