"""A network namespace as a machine of its own, with one cable that can be cut."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True)
class Cable:
    """Between this machine, at `here`, and the namespace. Commands with `inside` before them run
    in it.
    """

    name: str
    here: str

    @property
    def inside(self) -> list[str]:
        return ["ip", "netns", "exec", self.name]

    def cut(self) -> None:
        _ip("link", "set", self.name, "down")

    def heal(self) -> None:
        _ip("link", "set", self.name, "up")


@contextmanager
def cable() -> Iterator[Cable]:
    """Skips where namespaces cannot be made: not root, or in a container that may not."""
    number = os.getpid() % 65536
    name, net = f"cw{number}", f"10.{number >> 8}.{number & 255}"
    if os.geteuid() or not shutil.which("ip") or not _ip("netns", "add", name, check=False):
        pytest.skip("needs root and network namespaces")
    try:
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("addr", "add", f"{net}.1/24", "dev", name)
        _ip("-n", name, "addr", "add", f"{net}.2/24", "dev", "eth0")
        for more in (["link", "set", name, "up"], ["-n", name, "link", "set", "eth0", "up"]):
            _ip(*more)
        _ip("-n", name, "link", "set", "lo", "up")
        yield Cable(name, f"{net}.1")
    finally:
        for pid in subprocess.run(
            ["ip", "netns", "pids", name], capture_output=True, text=True, check=True
        ).stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        _ip("netns", "del", name)  # and the cable with it


def _ip(*args: str, check: bool = True) -> bool:
    return subprocess.run(["ip", *args], check=check, capture_output=not check).returncode == 0
