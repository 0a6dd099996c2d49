"""A way to the broker on which one answer is lost: what was asked for was done all the same."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 16


@dataclass
class ForgetfulWay:
    """Listens at `path` for those who want the broker at `broker`. Once `armed`, the answer to the
    first order with `words` in it is lost: with its connection, or (`silent`) without a sign.
    """

    path: Path
    broker: Path
    words: bytes
    silent: bool = False
    armed: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def close(self) -> None:
        """Once nobody waits at it: after a signal the kernel begins an accept again by the socket's
        number, which another server has by then.
        """
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self.broker))
                cut = threading.Event()
                for told in ((client, server, cut, True), (server, client, cut, False)):
                    threading.Thread(target=self._pass_on, args=told, daemon=True).start()

    def _pass_on(
        self, source: socket.socket, target: socket.socket, cut: threading.Event, asks: bool
    ) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if asks and self.armed.is_set() and self.words in data:
                    self.armed.clear()
                    self.lost.set()
                    cut.set()
                if not asks and cut.is_set():
                    if self.silent:
                        continue
                    break
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
