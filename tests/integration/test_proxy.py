"""The door itself: real connections through the proxy, one request each."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cw.settings import Settings
from workerhost.reach import listen, opened, reach


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

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], asked
    finally:
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
    assert asked == [b"GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]


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
