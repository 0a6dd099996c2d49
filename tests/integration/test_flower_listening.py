"""Flower's process: at another address of the machine, and where none is wanted."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cw.services.catalog import flower_ready, flower_url_file
from cw.settings import load_settings
from tests.integration.networked import free_port
from tests.waiting import wait_until

Flower = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def env(cw_environ: dict[str, str], redis_url: str) -> dict[str, str]:
    return cw_environ | {"CW_BROKER_URL": redis_url, "CW_FLOWER_PORT": str(free_port())}


@pytest.fixture
def flower(env: dict[str, str]) -> Iterator[Flower]:
    started: list[subprocess.Popen[str]] = []

    def start(**more: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-P", "-m", "cw.services.flower"]
        child = subprocess.Popen(words, env=env | more, stderr=subprocess.PIPE, text=True)
        started.append(child)
        return child

    yield start
    for one in started:
        one.kill()
        one.communicate()


def test_flower_at_another_address_becomes_ready(flower: Flower, env: dict[str, str]) -> None:
    env["CW_FLOWER_ADDRESS"] = "127.0.0.3"
    child = flower()
    settings = load_settings(env)[0]

    wait_until(lambda: flower_ready(settings) or child.poll() is not None, 30, "Flower")

    assert child.poll() is None
    assert urlsplit(flower_url_file(settings).read_text()).hostname == "127.0.0.3"


def test_address_of_another_machine_is_one_line(flower: Flower) -> None:
    child = flower(CW_FLOWER_ADDRESS="192.0.2.1")

    _, said = child.communicate(timeout=30)

    assert child.returncode == 2
    assert "Flower cannot listen on 192.0.2.1: " in said.splitlines()[-1]
    assert "Traceback" not in said


def test_unit_without_a_port_is_ready_and_listens_nowhere(
    flower: Flower, env: dict[str, str]
) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cwt-"))
        systemd = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        systemd.bind(f"{folder}/notify")
        systemd.settimeout(30)

        child = flower(CW_FLOWER_PORT="0", NOTIFY_SOCKET=f"{folder}/notify")

        assert systemd.recv(100) == b"READY=1"
        assert _sockets_that_listen(child.pid) == []
        assert not flower_url_file(load_settings(env)[0]).exists()
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


def _sockets_that_listen(pid: int) -> list[str]:
    """Of this process, over TCP."""
    mine = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        target = str(path.readlink())
        if target.startswith("socket:["):
            mine.add(target.removeprefix("socket:[").removesuffix("]"))
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == "0A" and row[9] in mine]
