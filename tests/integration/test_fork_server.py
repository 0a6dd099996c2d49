"""Commands and proxies of a host, started by its fork server."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_until
from workerhost.walls import fork_server
from workerhost.walls.fork_client import Command, Forked, ForkServer, Streams
from workerhost.walls.network_access import PROXY, Reach

ENV = {"PATH": os.defpath}


@pytest.fixture
def server() -> Iterator[ForkServer]:
    made = ForkServer()
    yield made
    made.end()


USUAL = Streams(stdout=subprocess.PIPE)


def started(server: ForkServer, *argv: str, streams: Streams = USUAL, **more: object) -> Forked:
    usual = {"argv": argv, "env": ENV, "cwd": "/"}
    return server.start(Command(**(usual | more)), streams)  # type: ignore[arg-type]


def said(process: Forked) -> bytes:
    assert process.stdout
    return process.stdout.read()


def parent(process: Forked) -> psutil.Process:
    found = psutil.Process(process.pid).parent()
    assert found
    return found


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", -9), ("kill -15 $$", -15)]
)
def test_end_is_told_as_it_was(server: ForkServer, script: str, status: int) -> None:
    with started(server, "sh", "-c", script) as process:
        assert process.wait(20) == status
        assert process.poll() == status


def test_process_is_what_was_ordered(server: ForkServer, tmp_path: Path) -> None:
    odd = "é\udcff\n'\""
    script = 'cat; pwd; umask; ulimit -d; ulimit -c; cat /proc/self/oom_score_adj; printf %s "$0"'
    with started(
        server,
        *("sh", "-c", script, odd),
        streams=Streams(stdin=subprocess.PIPE, stdout=subprocess.PIPE),
        cwd=tmp_path,
        umask=0o027,
        data_bytes=64 << 20,
    ) as process:
        assert process.stdin
        process.stdin.write(b"given\n")
        process.stdin.close()

        lines = said(process).split(b"\n", 6)

    assert lines[:6] == [b"given", os.fsencode(tmp_path), b"0027", b"65536", b"0", b"1000"]
    assert lines[6] == os.fsencode(odd)


def test_environment_is_the_given_one(server: ForkServer) -> None:
    given = {"PATH": os.defpath, "ODD": "a=b\nc", "EMPTY": "", "RAW": "\udcfe"}
    with started(server, "env", "-0", env=given) as process:
        found = dict(pair.split(b"=", 1) for pair in said(process).split(b"\0") if pair)

    assert found == {os.fsencode(name): os.fsencode(value) for name, value in given.items()}


def test_nothing_of_the_hosts_is_open_there(server: ForkServer, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        with started(server, "ls", "-l", "/proc/self/fd") as process:
            found = re.findall(rb" (\d+) -> ", said(process))

    assert sorted(map(int, found)) == [0, 1, 2, 3]  # 3: what ls reads


@pytest.mark.parametrize(
    ("argv", "cwd", "word"),
    [(["/nonexistent"], "/", b"No such file"), (["true"], "/nonexistent", b"/nonexistent")],
)
def test_what_cannot_be_started_says_why(
    server: ForkServer, argv: list[str], cwd: str, word: bytes
) -> None:
    with started(server, *argv, cwd=cwd, streams=Streams(stderr=subprocess.PIPE)) as process:
        assert process.stderr
        assert word in process.stderr.read()
        assert process.wait(20) == 127


def test_many_at_once_are_kept_apart(server: ForkServer) -> None:
    found: dict[int, bytes] = {}

    def run(number: int) -> None:
        with started(server, "sh", "-c", f"echo {number}; exit {number}") as process:
            found[number] = said(process)
            assert process.wait(60) == number

    threads = [threading.Thread(target=run, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {number: b"%d\n" % number for number in range(40)}


def test_pid_is_nobody_elses_until_it_is_closed(server: ForkServer) -> None:
    process = started(server, "true")
    process.wait(20)

    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    process.close()
    wait_until(lambda: not psutil.pid_exists(process.pid), what="the zombie's end")


def test_what_lives_when_it_is_closed_is_killed_with_its_group(server: ForkServer) -> None:
    process = started(server, "sh", "-c", "sleep 600 & echo $!; wait")
    assert process.stdout
    child = int(process.stdout.readline())

    process.close()

    for pid in (process.pid, child):
        wait_until(lambda pid=pid: gone(pid), what=f"the end of {pid}")  # type: ignore[misc]


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_killed_server_is_replaced_and_what_it_had_started_counts_as_killed(
    server: ForkServer,
) -> None:
    with started(server, "sleep", "600") as process:
        parent(process).kill()

        assert process.wait(20) == -signal.SIGKILL
        wait_until(lambda: gone(process.pid), what="the end of what it had started")
        with started(server, "echo", "again") as other:
            assert said(other) == b"again\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_for_all_processes_of_a_host_does_not_end_what_it_sees_through(
    server: ForkServer, number: signal.Signals
) -> None:
    streams = Streams(stdin=subprocess.PIPE)
    with started(server, "sh", "-c", "read line; exit 3", streams=streams) as process:
        parent(process).send_signal(number)
        with started(server, "true") as other:
            assert parent(other) == parent(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(20) == 3


def test_all_of_it_ends_with_its_host() -> None:
    code = (
        "import time\n"
        "from workerhost.walls.fork_client import SERVER, Command, Streams\n"
        "command = Command(argv=['sleep', '600'], env={'PATH': '/usr/bin:/bin'}, cwd='/')\n"
        "process = SERVER.start(command, Streams())\n"
        "print(process.pid, flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as host:
        assert host.stdout
        pid = int(host.stdout.readline())
        server = psutil.Process(pid).ppid()
        host.kill()

    for left in (pid, server):
        wait_until(lambda left=left: gone(left), what=f"the end of {left}")  # type: ignore[misc]


def test_server_without_orders_ends_by_itself() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(fork_server.__file__).parents[2])!r});"
        "from workerhost.walls import fork_server; fork_server._IDLE_SECONDS = 0.1;"
        "fork_server.main()"
    )
    with ours, theirs:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=theirs.fileno(), timeout=60, check=False
        )

    assert done.returncode == 0


def test_nothing_that_one_was_given_is_in_the_memory_of_another(
    server: ForkServer, tmp_path: Path
) -> None:
    """Proxies stay what they were forked as, and have the login of the operator's own proxy."""
    word = secrets.token_hex(16)
    first, second = Reach((), (), (), f"http://u:{word}@p:1", ""), Reach((), (), (), "", "")
    with (
        proxy(server, first, tmp_path / "1") as with_it,
        proxy(server, second, tmp_path / "2") as without,
        started(server, "sleep", "600", env={**ENV, "TOKEN": word}),
    ):
        holders = {door.pid for door in (with_it, without) if word.encode() in memory(door.pid)}
        assert holders == {with_it.pid}
        assert word.encode() not in memory(parent(without).pid)


def proxy(server: ForkServer, told: Reach, path: Path) -> Forked:
    listener = socket.socket(socket.AF_UNIX)
    with listener:
        listener.bind(str(path))
        listener.listen()
        process = server.start(
            Command(argv=PROXY, env=told.environment(), cwd="/"),
            Streams(stdin=listener),
            proxy=True,
        )
    with socket.socket(socket.AF_UNIX) as client:  # it answers: it has read what it was given
        client.connect(str(path))
        client.sendall(b"GET http://nowhere.invalid/ HTTP/1.1\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 403"
    return process


def memory(pid: int) -> bytes:
    """All that it can write to, where what it was given would be."""
    found = []
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        for line in maps:
            place, rights, *_ = line.split()
            if rights.startswith("rw"):
                begin, end = (int(edge, 16) for edge in place.split("-"))
                mem.seek(begin)
                found.append(mem.read(end - begin))
    assert found
    return b"".join(found)
