"""What an agent can do to its own log: write into it, up to a limit, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.settings import Settings
from tests.integration.test_proxy import ask
from tests.integration.test_shim import WALLED, Shims, shims
from tests.needs import need, require
from tests.waiting import wait_until
from tests.walls import WALLS
from workerhost import process_tree
from workerhost.confined import few_processes
from workerhost.walls.cgroup import process_group
from workerhost.walls.isolation import Wall
from workerhost.walls.network_access import listen, reach

__all__ = ["shims"]

REWRITE = """
import os
os.write(1, b'first\\n')
for name in ('/proc/self/fd/1', '/dev/stdout'):
    for how in (lambda n: os.truncate(n, 4 << 30), lambda n: open(n, 'r+b').write(b'gone'),
                lambda n: os.ftruncate(1, 4 << 30), lambda n: os.pwrite(1, b'gone', 0)):
        try:
            how(name)
        except OSError:
            pass
os.write(1, b'last\\n')
"""
FLOOD = "import os\nwhile True:\n    os.write({}, b'x' * 65536)"
BYTES = "import os\nfor _ in range(3000): os.write(1, b'ab\\n')"


@pytest.mark.parametrize("walled", WALLED)
def test_agent_can_neither_shorten_nor_inflate_its_log(shims: Shims, walled: bool) -> None:
    python = "/usr/bin/python3" if walled else sys.executable
    require(Path(python).exists(), python)
    shims.start(python, "-c", REWRITE, walled=walled)

    assert shims.ended().rc == 0
    assert shims.log().splitlines()[0] == "first"
    assert shims.log().splitlines()[-1] == "last"
    assert shims.home.log.stat().st_size < 100


@pytest.mark.parametrize("pipe", [1, 2])
def test_run_that_writes_too_much_is_ended_and_its_log_kept(shims: Shims, pipe: int) -> None:
    shims.start(sys.executable, "-c", FLOOD.format(pipe), log_mb=2)

    assert shims.ended().cause == "log_size"
    kept = (shims.home.log, shims.home.errors)[pipe - 1].stat().st_size
    assert 2 << 20 >= kept > 1 << 20
    assert shims.left() == []


def test_all_of_a_log_that_comes_byte_by_byte_is_kept(shims: Shims) -> None:
    shims.start(sys.executable, "-c", BYTES)

    assert shims.ended().rc == 0
    assert shims.log() == "ab\n" * 3000


def test_log_that_its_disk_does_not_take_ends_the_run(shims: Shims) -> None:
    shims.start(sys.executable, "-c", FLOOD.format(1), stdout="/dev/full")

    assert shims.ended().cause == "disk_full"


def test_last_words_of_what_outlived_the_agent_are_kept(shims: Shims) -> None:
    shims.start("sh", "-c", "(sleep 0.2; echo late; sleep 600) & echo ready; sleep 0.5")

    assert shims.ended().rc == 0
    assert shims.log() == "ready\nlate\n"


def test_run_has_as_many_processes_as_it_may_and_goes_on(shims: Shims) -> None:
    group = process_group(shims.home, Wall("none"), 30)
    require(group, "a control group for processes")
    many = "for i in $(seq 60); do sleep 600 & done; echo went on; exit 3"
    shims.start("bash", "-c", f"({many}) 2>/dev/null; echo after", cgroup=str(group))
    wait_until(shims.home.exit.exists, what="the end")

    assert shims.ended().refused_processes > 0
    assert "after" in shims.log()
    assert group
    assert not group.exists()


def test_limit_of_processes_holds_for_each_namespace_alone() -> None:
    """Two runs of one user: the one that wants too many is refused, its neighbour has them all."""
    require(WALLS, "a bwrap that works")
    plain = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    inside = [
        need("bwrap"),
        "--die-with-parent",
        "--unshare-user",
        "--unshare-pid",
        "--ro-bind",
        "/",
        "/",
    ]
    inside += ["--proc", "/proc", "--dev", "/dev", "--"]
    if os.geteuid() == 0:  # real root is exempt
        inside = [*plain, *inside]
    script = "for i in $(seq {}); do sleep 60 & done; echo all"
    started = [
        subprocess.Popen(
            [*inside, *few_processes(["sh", "-c", script.format(many)], 40)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"]},
        )
        for many in (60, 30)
    ]

    try:
        refused, served = (one.communicate(timeout=60) for one in started)
    finally:
        for one in started:
            one.kill()
    assert b"fork" in refused[1]
    assert served == (b"all\n", b"")


def test_limits_are_on_what_the_agent_starts(shims: Shims) -> None:
    shims.start("sh", "-c", "ulimit -c; ulimit -Hn; cat /proc/self/oom_score_adj")

    assert shims.ended().rc == 0
    core, files, score = shims.log().split()
    assert (core, score) == ("0", "500")
    assert int(files) <= 16384


def test_proxy_that_ends_is_started_again(shims: Shims, tmp_path: Path) -> None:
    """Whoever asks meanwhile waits: the listening socket is its shim's."""
    with listen(tmp_path / "d") as listener:
        order = reach(Settings(), {}).order() | {"fd": listener.fileno()}
        listener.set_inheritable(True)
        shims.home.prompt.write_bytes(b"")
        process = shims.start("sleep", "600", proxy=order, pass_fds=[listener.fileno()])
    request = b"CONNECT closed.example:443 HTTP/1.1\r\n\r\n"
    assert b"403" in ask(tmp_path / "d", request)
    for _ in range(2):
        (proxy,) = [
            pid
            for pid in process_tree.descendants(process.pid)
            if b"proxy.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        os.kill(proxy, signal.SIGKILL)
        assert b"403" in ask(tmp_path / "d", request)
    assert shim_lives(Home(shims.home.path))
