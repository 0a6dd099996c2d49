"""What must not be reached from behind a wall: files and listeners of ours that can tell."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cw.homes.agent_user import AgentUser
from cw.settings import Settings

ROOTS_OWN = "/etc/shadow"  # may not exist, and then cannot be reached


@dataclass(frozen=True, slots=True)
class Canaries:
    """`beside` lies where the other workers' HOMEs lie, `outside` elsewhere; each holds the `word`
    in its file `secret`. `port` is a listener on this machine's loopback; `broker` is `host:port`
    or a socket's path.
    """

    word: str
    beside: Path
    outside: Path
    port: int
    broker: str
    called: threading.Event  # somebody reached `port`

    def reached(self) -> str:
        """What was, as far as it shows from here; empty when nothing was."""
        if self.called.is_set():
            return "a port on this machine's loopback"
        for folder in (self.beside, self.outside):
            changed = [path.name for path in folder.iterdir() if path.name != "secret"]
            if changed or self.secret(folder).read_text("utf-8") != self.word:
                return f"a file beside {folder.parent}"
        return ""

    @staticmethod
    def secret(folder: Path) -> Path:
        return folder / "secret"


@contextmanager
def canaries(settings: Settings, broker_url: str, user: AgentUser | None) -> Iterator[Canaries]:
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    word, called = secrets.token_hex(16), threading.Event()
    # No worker's id begins with a dot.
    beside, outside = (
        Path(tempfile.mkdtemp(prefix=".cw-canary-", dir=root))
        for root in (settings.workers_root, settings.state_dir)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_listen, args=(listener, called), daemon=True)
    thread.start()
    try:
        for place in (beside, outside):
            Canaries.secret(place).write_text(word, "utf-8")
            _give(place, user)
        port = listener.getsockname()[1]
        yield Canaries(word, beside, outside, port, _place(broker_url), called)
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        thread.join()  # before another socket gets this one's number
        listener.close()
        for place in (beside, outside):
            shutil.rmtree(place, ignore_errors=True)


def _give(place: Path, user: AgentUser | None) -> None:
    """So that nothing but the walls keeps that user from it."""
    if user:
        for path in (place, *place.iterdir()):
            os.chown(path, user.uid, user.gid)


def _listen(listener: socket.socket, called: threading.Event) -> None:
    with suppress(OSError):
        while True:
            listener.accept()[0].close()
            called.set()


def _place(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return unquote(parts.path)
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
