"""The door itself: real connections through the proxy, one request each."""

from __future__ import annotations

import io
import os
import resource
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cw.settings import Settings
from tests.waiting import wait_until
from workerhost.walls import http_framing, proxy_admission
from workerhost.walls.network_access import listen, opened, reach


@contextmanager
def server(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Answers each connection so, and keeps what it was asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                with listener.accept()[0] as client:
                    asked.append(client.recv(65536))
                    client.sendall(answer)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        # A thread that still waits here would wait at whatever has the number of this socket next:
        # the kernel begins such a call again after a signal that nobody handles.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def ask(door: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(door))
        client.sendall(request)
        found = b""
        while part := client.recv(65536):
            found += part
        return found


def test_door_whose_host_was_killed_while_it_opened_does_not_stay(tmp_path: Path) -> None:
    order = reach(Settings(), {}).order()
    with listen(tmp_path / "d") as listener:
        done = subprocess.run(
            order["argv"],  # type: ignore[call-overload]
            env=order["env"] | {"CW_PARENT": "1"},  # type: ignore[operator]
            stdin=listener,
            timeout=20,
            check=False,
        )

    assert done.returncode == 0


def test_answer_says_that_the_connection_ends(tmp_path: Path) -> None:
    kept_alive = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"
    with server(kept_alive) as (port, asked):
        told = reach(Settings(), {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"})
        with opened(tmp_path / "d", told) as door:
            url = f"http://127.0.0.1:{port}/a?b"
            request = f"GET {url} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic eA==\r\n"
            said = ask(door, f"{request}\r\nGET http://evil.org/ HTTP/1.1\r\n\r\n".encode())

    assert said == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    host = f"127.0.0.1:{port}"
    assert asked == [f"GET /a?b HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()]


def test_tunnel_carries_bytes_both_ways(tmp_path: Path) -> None:
    with server(b"world") as (port, asked):
        told = reach(Settings(), {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"})
        with opened(tmp_path / "d", told) as door:
            said = ask(door, f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\nhello".encode())

    assert said == b"HTTP/1.1 200 Connection established\r\n\r\nworld"
    assert asked == [b"hello"]


def test_closed_host_is_refused_and_hears_nothing(tmp_path: Path) -> None:
    with server(b"") as (port, asked), opened(tmp_path / "d", reach(Settings(), {})) as door:
        for request in (f"CONNECT 127.0.0.1:{port}", f"GET http://127.0.0.1:{port}/"):
            assert ask(door, f"{request} HTTP/1.1\r\n\r\n".encode()).startswith(b"HTTP/1.1 403")

    assert asked == []


def test_what_is_no_request_ends_the_connection(tmp_path: Path) -> None:
    with opened(tmp_path / "d", reach(Settings(), {})) as door:
        for request in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            assert ask(door, request)[9:10] in {b"4", b"5"}


@contextmanager
def behind_a_proxy(tmp_path: Path) -> Iterator[tuple[Path, list[bytes]]]:
    """The door, and what the operator's own proxy behind it was asked."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (port, asked):
        told = reach(Settings(), {"http_proxy": f"http://127.0.0.1:{port}"})
        with opened(tmp_path / "d", told) as door:
            yield door, asked


def test_operators_proxy_is_asked_for_the_host_that_was_checked(tmp_path: Path) -> None:
    with behind_a_proxy(tmp_path) as (door, asked):
        said = ask(door, b"GET http://Good.COM./a?b HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 200")
    url = b"GET http://good.com/a?b HTTP/1.1\r\nHost: good.com\r\n"
    assert asked == [url + b"Connection: close\r\n\r\n"]


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254\\@good.com/latest",
        "http://169.254.169.254/@good.com\\",
        "http://me:pw@good.com/",
        "http://169.254.169.254\t@good.com/",
        "http://good.com/\x7f",
        "http://good.com/\r",
    ],
)
def test_target_that_others_may_read_in_another_way_is_refused(tmp_path: Path, target: str) -> None:
    with behind_a_proxy(tmp_path) as (door, asked):
        said = ask(door, f"GET {target} HTTP/1.1\r\n\r\n".encode())

    assert (said[9:12], asked) == (b"403", [])


def test_name_before_a_tunnels_host_is_refused(tmp_path: Path) -> None:
    with behind_a_proxy(tmp_path) as (door, asked):
        said = ask(door, b"CONNECT 169.254.169.254:80@good.com:443 HTTP/1.1\r\n\r\n")

    assert (said[9:12], asked) == (b"403", [])


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 0\r\nContent-Length: 44",
        "Content-Length: +4",
        "Content-Length: 4_4",
        "Content-Length: -1",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding : chunked\r\nContent-Length: 44",
        "X: y\rTransfer-Encoding: chunked",
        "no header",
    ],
)
def test_body_whose_length_others_may_read_in_another_way_is_refused(
    tmp_path: Path, headers: str
) -> None:
    with behind_a_proxy(tmp_path) as (door, asked):
        hidden = "0\r\n\r\nGET http://169.254.169.254/ HTTP/1.1\r\n\r\n"
        said = ask(door, f"POST http://good.com/ HTTP/1.1\r\n{headers}\r\n\r\n{hidden}".encode())

    assert (said[9:12], asked) == (b"403", [])


@contextmanager
def collecting() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """A server that answers nothing; all it got, once the other end closed."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)

    def got() -> bytes:
        with listener.accept()[0] as client, client.makefile("rb") as given:
            client.settimeout(20)
            return given.read()

    with listener:
        yield listener.getsockname()[1], got


CHUNKED = b"POST http://good.com/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("size", ["0x4", "+4", "4_0", " 4", "-1", "", "4;a\rb"])
def test_chunk_whose_size_others_may_read_in_another_way_is_not_passed_on(
    tmp_path: Path, size: str
) -> None:
    with collecting() as (port, got):
        told = reach(Settings(), {"http_proxy": f"http://127.0.0.1:{port}"})
        with opened(tmp_path / "d", told) as door:
            assert b"403" in ask(door, CHUNKED + f"{size}\r\nevil\r\n0\r\n\r\n".encode())
            body = got().partition(b"\r\n\r\n")[2]

    assert body == b""


def test_refusal_is_said_however_soon_the_other_end_is_told(tmp_path: Path) -> None:
    with collecting() as (port, _):
        told = reach(Settings(), {"http_proxy": f"http://127.0.0.1:{port}"})
        with opened(tmp_path / "d", told) as door:
            said = [ask(door, CHUNKED + b"+4\r\nevil\r\n0\r\n\r\n")[9:12] for _ in range(100)]

    assert set(said) == {b"403"}


def test_chunks_reach_the_server_without_what_is_said_beside_them() -> None:
    given = io.BytesIO(b"5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\nnext request")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        http_framing.body(given, None, ours)

        assert theirs.recv(100) == b"5\r\nhello\r\n0\r\n\r\n"
    assert given.read() == b"next request"


CLOSED = b"CONNECT closed.example:443 HTTP/1.1\r\n\r\n"


@contextmanager
def crowded(tmp_path: Path, descriptors: int) -> Iterator[tuple[Path, int]]:
    """The door with so many descriptors, and its pid."""
    order: dict[str, Any] = reach(Settings(), {}).order()
    with listen(tmp_path / "d") as listener:
        limited = ["prlimit", f"--nofile={descriptors}:{descriptors}"]
        process = subprocess.Popen(
            [*limited, *order["argv"]],
            env=order["env"] | {"CW_PARENT": str(os.getpid())},
            stdin=listener.fileno(),
        )
    try:
        yield tmp_path / "d", process.pid
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def connected(door: Path, said: bytes = b"") -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(door))  # with a timeout it would not wait for room in the queue
    client.settimeout(20)
    if said:  # whoever was refused already is not even told nothing: EPIPE
        client.sendall(said)
    return client


def test_door_with_too_many_at_it_refuses_and_goes_on(tmp_path: Path) -> None:
    """150 connections that ask nothing, with 64 descriptors."""
    with crowded(tmp_path, 64) as (door, _):
        first = ask(door, CLOSED)
        silent = [connected(door) for _ in range(100)]
        refused = [one.recv(12) for one in silent[-20:]]
        more = [connected(door) for _ in range(50)]
        for one in (*silent, *more):
            one.close()
        wait_until(lambda: b" 403 " in ask(door, CLOSED), what="the door to serve again")

    assert b" 403 " in first
    assert set(refused) == {b"HTTP/1.1 503"}


def test_door_that_cannot_take_anybody_tries_again(tmp_path: Path) -> None:
    """Fewer descriptors than it holds itself."""
    with crowded(tmp_path, 64) as (door, pid):
        ask(door, CLOSED)
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        waiting = connected(door, CLOSED)
        waiting.settimeout(0.5)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        waiting.settimeout(20)

        assert b" 403 " in waiting.recv(100)


def test_thread_that_cannot_be_had_is_a_refusal(tmp_path: Path, monkeypatch: Any) -> None:
    """As "can't start new thread", in a process of our own that has one thread too many."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "d"))
    listener.listen()
    served = proxy_admission.Counter(lambda visit: visit.client.close())

    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    client = connected(tmp_path / "d")
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Thread", NoThread)
        served._next(listener)

    assert client.recv(12) == b"HTTP/1.1 503"
    assert not served._visits
    listener.close()


def test_whoever_does_not_finish_asking_is_ended(tmp_path: Path) -> None:
    """However many bytes come meanwhile; whoever has asked may be silent."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    asking, asked = socket.socketpair(socket.AF_UNIX)
    served = proxy_admission.Counter(lambda _: None)
    late, done = proxy_admission.Visit(theirs), proxy_admission.Visit(asked)
    done.asked()
    served._visits |= {late, done}

    with ours, theirs, asking, asked:
        served._end_the_silent(late.until + 1)
        for one in (theirs, asked):
            one.setblocking(False)

        assert theirs.recv(1) == b""
        with pytest.raises(BlockingIOError):
            asked.recv(1)


def test_head_of_very_many_lines_is_no_request() -> None:
    """32,000 lines of two bytes take twenty times as much memory."""
    with pytest.raises(ValueError, match="no head"):
        http_framing.lines(io.BytesIO(b"a\n" * 30000 + b"\n"))
