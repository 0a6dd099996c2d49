"""What systemd hears of a service, on a socket like systemd's."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workerhost.sdnotify import READY, notify


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
