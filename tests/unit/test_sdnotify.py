"""What systemd hears of a service, on a socket like systemd's."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cw.sdnotify import READY, notify
from workerhost.inbox.watchdog import Watchdog, feed_systemd


@contextmanager
def systemd(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(address.replace("@", "\0", 1))
        one.settimeout(5)
        yield one


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="cwt-") as short:
        yield f"{short}/notify" if request.param == "path" else f"@cw-test-{os.getpid()}"


def test_systemd_is_told(address: str) -> None:
    with systemd(address) as heard:
        said = notify({"NOTIFY_SOCKET": address}, READY)

        assert (said, heard.recv(100)) == (True, b"READY=1")


def test_without_systemd_nobody_is_told() -> None:
    assert not notify({}, READY)


def test_socket_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    assert not notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}, READY)


def test_systemd_s_watchdog_is_fed_only_while_the_consumer_lives() -> None:
    now = [0.0]
    watchdog = Watchdog(30.0, lambda: now[0])
    with tempfile.TemporaryDirectory(prefix="cwt-") as short, systemd(f"{short}/notify") as heard:
        told = {"NOTIFY_SOCKET": f"{short}/notify"}
        watchdog.turned()
        assert feed_systemd(told, watchdog)
        now[0] = 61.0
        assert not feed_systemd(told, watchdog)
        watchdog.turned()
        assert feed_systemd(told, watchdog)

        heard.setblocking(False)
        words = [heard.recv(100) for _ in range(2)]

        assert words == [b"WATCHDOG=1", b"WATCHDOG=1"]
        with pytest.raises(BlockingIOError):
            heard.recv(100)
