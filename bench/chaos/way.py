"""What stands between the hosts and GitHub's git: a proxy's port that can be closed for a while."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field

_PART = 1 << 16
_BACKLOG = 128
_RESETS = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets


def _bound() -> socket.socket:
    """To a port by its number: one that the kernel chose would be given up with listening."""
    with socket.socket() as first:
        listener = socket.socket()
        for one in (first, listener):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first.bind(("127.0.0.1", 0))
        listener.bind(first.getsockname())
    return listener


@dataclass
class Way:
    """Passes bytes on to `port` of this machine, either way."""

    port: int
    _listener: socket.socket = field(default_factory=_bound)
    _open: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener.listen(_BACKLOG)
        self._open.set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def refuse(self, seconds: float) -> None:
        """Connections are refused; those that are there go on. The port stays ours (Linux)."""
        self._open.clear()
        self._listener.shutdown(socket.SHUT_RD)
        self._over.wait(seconds)
        self._listener.listen(_BACKLOG)
        self._open.set()

    def end(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RD)
        self._open.set()

    def _accept(self) -> None:
        while not self._over.is_set():
            self._open.wait()
            with suppress(OSError):  # it is closed meanwhile
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as there:
            other = threading.Thread(target=_pass_on, args=(client, there), daemon=True)
            other.start()
            _pass_on(there, client)
            other.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Until it ends, and as it ends: a reset stays one."""
    try:
        while part := source.recv(_PART):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, sink):
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
                one.shutdown(socket.SHUT_RDWR)
