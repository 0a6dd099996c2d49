"""Things that an agent must not reach, each telling whether somebody came."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Answer(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self) -> None:
        first = self.rfile.readline()
        self.server.came.append(first.decode("latin-1").strip())  # type: ignore[attr-defined]
        body = b"canary\n"
        if b"HTTP/" in first:
            body = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n" + body
        self.wfile.write(body)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Listener:
    """`came`: the first line of each connection."""

    def __init__(self, server: socketserver.BaseServer) -> None:
        self.came: list[str] = []
        server.came = self.came  # type: ignore[attr-defined]
        self.port = server.server_address[1] if isinstance(server, _Tcp) else 0


@contextmanager
def listening(at: Path | None = None) -> Iterator[Listener]:
    """On loopback, or on a Unix socket. Speaks just enough HTTP to be a proxy for everything."""
    server = _Unix(str(at), _Answer) if at else _Tcp(("127.0.0.1", 0), _Answer)
    listener = Listener(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
