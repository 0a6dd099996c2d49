"""Machines made of network namespaces: a hub, and others with a cable to it. Needs root."""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Net:
    """`hub` has an address at the end of each cable; nothing leads out of here."""

    others: list[str]
    hub: str = "one"
    _mark: str = field(default_factory=lambda: f"cw{os.getpid()}")

    def up(self) -> None:
        for name in (self.hub, *self.others):
            _ip("netns", "add", self.space(name))
            _ip("-n", self.space(name), "link", "set", "lo", "up")
        for name in self.others:
            here, there = self._cable(name)
            _ip("link", "add", here, "type", "veth", "peer", "name", there)
            for cable, owner, address in (
                (here, self.hub, self.hub_address(name)),
                (there, name, self._address(name, 2)),
            ):
                _ip("link", "set", cable, "netns", self.space(owner))
                _ip("-n", self.space(owner), "address", "add", f"{address}/30", "dev", cable)
                _ip("-n", self.space(owner), "link", "set", cable, "up")

    def join_hub(self) -> None:
        """From now on this thread, and what it starts, is on the hub. (os.setns: Python 3.12.)"""
        place = os.open(f"/var/run/netns/{self.space(self.hub)}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(place, 0):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(place)

    def down(self) -> None:
        for name in (self.hub, *self.others):
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", self.space(name))  # and its ends of the cables

    def cut(self, name: str) -> None:
        _ip("-n", self.space(self.hub), "link", "set", self._cable(name)[0], "down")

    def heal(self, name: str) -> None:
        _ip("-n", self.space(self.hub), "link", "set", self._cable(name)[0], "up")

    def enter(self, name: str) -> list[str]:
        """What a command begins with that is to run on this machine."""
        return ["ip", "netns", "exec", self.space(name)]

    def space(self, name: str) -> str:
        return f"{self._mark}{name}"

    def hub_address(self, name: str) -> str:
        """Of the hub, as this machine sees it."""
        return self._address(name, 1) if name in self.others else "127.0.0.1"

    def _address(self, name: str, end: int) -> str:
        return f"10.77.{self.others.index(name)}.{end}"

    def _cable(self, name: str) -> tuple[str, str]:
        number = self.others.index(name)
        return f"{self._mark}h{number}", f"{self._mark}o{number}"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
