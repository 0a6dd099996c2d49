"""What systemd hears of a real host, from its start to its end."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from tests.integration.hosting import machine
from tests.waiting import wait_until


def test_host_tells_systemd_that_it_is_ready_alive_and_stopping(git_repo: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="cwt-") as short,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        machine(git_repo, NOTIFY_SOCKET=f"{short}/notify") as here,
    ):
        systemd.bind(f"{short}/notify")
        systemd.setblocking(False)
        said: list[bytes] = []

        def hears(word: bytes) -> bool:
            try:
                said.append(systemd.recv(100))
            except BlockingIOError:
                return False
            return said[-1] == word

        host = here.start()
        wait_until(lambda: hears(b"READY=1"), 30, here.log)
        wait_until(lambda: hears(b"WATCHDOG=1"), 30, here.log)
        host.terminate()
        wait_until(lambda: hears(b"STOPPING=1"), 30, here.log)

        assert host.wait(30) == 0, here.log()
