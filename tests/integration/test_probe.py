"""The probe finds what is open: each wall is opened once, on purpose."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cw.credentials.agentenv import agent_environment
from cw.homes.home import make_home, templates_dir
from cw.homes.layout import Home
from cw.settings import Settings
from tests.hostile.listening import Listener, listening
from tests.needs import require
from tests.waiting import wait_until
from tests.walls import USER, WALLS, choose, keyrings, owned
from workerhost.claude.runner import CLAUDE
from workerhost.probing import kernel
from workerhost.probing.inherited import inherited
from workerhost.probing.probe import outer_kernel, probe
from workerhost.probing.proof import Proof, Subject
from workerhost.programs.runner import Launch
from workerhost.walls.isolation import Wall
from workerhost.walls.room import Room
from workerhost.walls.sandbox import wrap

NO_CLAUDE = Path("/bin/true")


@pytest.fixture
def settings() -> Iterator[Settings]:
    """In folders that are closed to nobody: only the wall keeps anything out."""
    require(WALLS, "bubblewrap and socat that work")
    with tempfile.TemporaryDirectory(prefix="cwp-") as name:
        root = Path(name)
        root.chmod(0o711)
        (root / "workers").mkdir(mode=0o711)
        yield Settings(workers_root=root / "workers", state_dir=root / "state", isolation="outer")


@pytest.fixture
def home(settings: Settings) -> Home:
    return owned(make_home(settings.workers_root, "01", {}, templates_dir()))


@pytest.fixture
def broker() -> Iterator[Listener]:
    with listening() as broker:
        yield broker


def ask(home: Home, settings: Settings, broker: Listener, wall: Wall | None = None) -> str:
    url = f"redis://127.0.0.1:{broker.port}"
    room = Room(home, wall or choose(settings), settings)
    env = agent_environment(home, settings, {})
    order = Launch(binary=NO_CLAUDE, model="", session="", resume=False, cwd=home.path, env=env)
    return probe(room, NO_CLAUDE, url, partial(CLAUDE.probe, room, order))


def test_nothing_is_reached_and_nothing_left_behind(
    home: Home, settings: Settings, broker: Listener
) -> None:
    assert ask(home, settings, broker) == ""
    assert broker.came == []
    assert [one.name for one in settings.workers_root.iterdir()] == ["01"]
    assert list(settings.state_dir.iterdir()) == []
    assert list(home.run.iterdir()) == list(home.tmp.iterdir()) == []


def opened(tmp_path: Path, wall: Wall, rule: str) -> Wall:
    """The same with a bubblewrap whose options go through `rule`, a piece of shell, one by one."""
    fake = tmp_path / "bwrap"
    change = f'for word; do shift; {rule}\n  set -- "$@" "$word"\ndone\n'
    fake.write_text(f'#!/bin/sh\n{change}exec {wall.bwrap} "$@"\n', "utf-8")
    fake.chmod(0o755)
    return replace(wall, bwrap=str(fake))


def test_open_network_is_found(
    home: Home, settings: Settings, broker: Listener, tmp_path: Path
) -> None:
    rule = '[ "$word" != --unshare-net ] || word=--unshare-uts'
    wall = opened(tmp_path, choose(settings), rule)

    assert "reached the broker" in ask(home, settings, broker, wall)
    assert len(broker.came) == 1


@pytest.mark.parametrize("place", ["workers_root", "state_dir"])
def test_open_folder_is_found(
    home: Home, settings: Settings, broker: Listener, tmp_path: Path, place: str
) -> None:
    folder = getattr(settings, place)
    folder.mkdir(exist_ok=True)
    rule = f'[ "$word" != --chdir ] || set -- "$@" --bind {folder} {folder}'
    wall = opened(tmp_path, choose(settings), rule)

    assert f"reached {folder}" in ask(home, settings, broker, wall)


def test_folder_that_the_settings_open_is_found(
    home: Home, settings: Settings, broker: Listener
) -> None:
    opened = replace(settings, sandbox_read=(settings.workers_root.parent,))

    assert f"reached {settings.workers_root}" in ask(home, opened, broker)


def test_change_of_what_agents_may_read_is_proven_anew(home: Home, settings: Settings) -> None:
    settings.state_dir.mkdir()
    asked: list[str] = []

    def holds(worker: Home, claude: Path) -> str:
        asked.append(f"{worker.id} {claude}")
        return ""

    subject = Subject(find=lambda: NO_CLAUDE, rules=lambda _: {}, code=settings.state_dir)
    for read, times in (((), 1), ((), 1), ((Path("/srv/tools"),), 2), ((Path("/srv/tools"),), 2)):
        opened = replace(settings, sandbox_read=read)
        assert Proof(opened, choose(opened), subject, holds).missing(home) == ""
        assert len(asked) == times


def test_file_of_the_host_that_can_be_written_is_found(
    home: Home, settings: Settings, broker: Listener, tmp_path: Path
) -> None:
    # Those of HOME only, which is the first that is bound to be written.
    rule = '[ "$word" != --bind ] || home=1; [ "$home$word" != 1--ro-bind ] || word=--bind'
    wall = opened(tmp_path, choose(settings), rule)

    assert f"reached {home.run}" in ask(home, settings, broker, wall)


def test_wall_that_does_not_start_is_no_wall_that_holds(
    home: Home, settings: Settings, broker: Listener
) -> None:
    said = ask(home, settings, broker, Wall("outer", bwrap="/bin/false", user=USER))

    assert said.startswith("the probe could not run")


def test_what_is_no_claude_proves_nothing(home: Home, settings: Settings, broker: Listener) -> None:
    wall = choose(replace(settings, isolation="strict"))

    assert "called none of its tools" in ask(home, settings, broker, wall)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('[ "$word" != --unshare-ipc ] || word=--unshare-uts', "the host's ipc namespace"),
        ('[ "$word" != --unshare-ipc ] || word=--unshare-uts', "the machine's System V IPC"),
        ('[ "$word" != --unshare-uts ] || word=--unshare-ipc', "the host's uts namespace"),
        (
            '[ "$word" != --chdir ] || set -- "$@" --bind /dev/shm /dev/shm',
            "the machine's shared memory",
        ),
        (
            '[ "$word" != --unshare-pid ] || word=--unshare-ipc',
            "the host's pid namespace",
        ),
    ],
)
def test_what_the_kernel_leaves_open_is_found(
    home: Home, settings: Settings, tmp_path: Path, rule: str, says: str
) -> None:
    wall = opened(tmp_path, choose(settings), rule)
    with inherited(wall.user) as placed:
        kernel.place_roots(home)
        argv = ["/bin/sh", "-c", kernel.SCRIPT, "sh", *kernel.arguments(placed)]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(home.path)}
        argv = wrap(argv, wall=wall, home=home)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)

        assert f"reached {says}" in done.stdout, done.stderr
        seen = placed.reached()
        assert ("signal" in seen) == ("pid" in says), "only who sees a process ends it"


PROBING = """
import sys
from tests.walls import USER
from workerhost.probing.inherited import inherited
with inherited(USER) as placed:
    print(placed.victim.pid, flush=True)
    sys.stdin.read()
"""


def test_host_that_is_killed_while_it_probes_leaves_no_process() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROBING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        victim = int(host.stdout.readline())
        os.killpg(victim, 0)
        host.kill()

    def gone() -> bool:
        try:
            os.killpg(victim, 0)
        except ProcessLookupError:
            return True
        return False

    try:
        wait_until(gone, what="the end of the process outside")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(victim, signal.SIGKILL)


def test_key_of_the_host_is_seen_without_a_wall_and_not_behind_it(
    home: Home, settings: Settings
) -> None:
    require(keyrings(), "a kernel that gives out keys")
    with inherited(USER) as placed:
        look = ["grep", "-c", placed.word, "/proc/keys"]
        open_ = subprocess.run(look, capture_output=True, text=True, check=False)
        argv = wrap(look, wall=choose(settings), home=home)
        walled = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert (open_.stdout, walled.stdout) == ("1\n", "0\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's processes can be root's")
def test_process_that_is_root_to_the_kernel_is_found(home: Home, settings: Settings) -> None:
    with inherited(USER) as placed:
        said = outer_kernel(Room(home, choose(settings).of_host, settings), placed)

    assert "the kernel's number of root" in said
