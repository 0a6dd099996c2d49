"""Who gives the fork server orders: what a host runs many times a minute, commands and proxies, are
forks of one of its own.

It is started with the first of them, and again whenever it has ended.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from workerhost.walls import fork_server
from workerhost.walls.fork_server import OTHER, PROXY, REPLY, Order

_TRIES = 3  # it may end while it is asked: it had nothing to do
_START_SECONDS = 60.0  # on a machine that has no time

Given = IO[bytes] | int | socket.socket


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """`umask` and `data_bytes` as `Order` has them."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | str
    umask: int = -1
    data_bytes: int = 0

    def order(self) -> Order:
        return Order(
            [os.fsencode(word) for word in self.argv],
            {os.fsencode(name): os.fsencode(value) for name, value in self.env.items()},
            os.fsencode(self.cwd),
            self.umask,
            self.data_bytes,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Streams:
    """As `subprocess.Popen` takes them, `PIPE` and `DEVNULL` among them."""

    stdin: Given = subprocess.DEVNULL
    stdout: Given = subprocess.DEVNULL
    stderr: Given = subprocess.DEVNULL


class Forked:
    """A process as `subprocess.Popen` has it, for as long as this is not closed. It ends with the
    host, and leads a session of its own. `lost`: it was killed, as the server ended.
    """

    def __init__(
        self, connection: socket.socket, pid: int, pipes: Sequence[IO[bytes] | None]
    ) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = pipes
        self._connection = connection
        self._code: int | None = None
        self.lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self) -> int | None:
        """Its exit status, or minus the signal that ended it."""
        return self._ended(0)

    def wait(self, seconds: float) -> int:
        """Raises TimeoutError."""
        code = self._ended(seconds)
        if code is None:
            raise TimeoutError
        return code

    def signal_group(self, number: int) -> None:
        """Itself and what it has started, unless it left its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def close(self) -> None:
        """Its pipes, and itself if it lives."""
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe:
                pipe.close()
        self._connection.close()

    def _ended(self, seconds: float) -> int | None:
        if self._code is None and _readable(self._connection, seconds):
            said = self._connection.recv(REPLY.size)
            self.lost = not said
            self._code = REPLY.unpack(said)[0] if said else -signal.SIGKILL
        return self._code


class ForkServer:
    """One of this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def start(self, command: Command, streams: Streams, *, proxy: bool = False) -> Forked:
        """As `subprocess.Popen`; what cannot be started says so on its standard error and ends with
        127. Raises OSError when the machine has no room for another process.
        """
        order = command.order().packed()
        pipes, theirs, made = _pipes(streams.stdin, streams.stdout, streams.stderr)
        try:
            return Forked(*self._tried(PROXY if proxy else OTHER, order, theirs), pipes)
        except BaseException:
            for pipe in filter(None, pipes):
                pipe.close()
            raise
        finally:
            for end in made:
                os.close(end)

    def end(self) -> None:
        """With all that it has started."""
        if self._orders and self._process:
            self._orders.close()
            self._orders = None
            self._process.wait()

    def _tried(self, kind: bytes, order: bytes, theirs: list[int]) -> tuple[socket.socket, int]:
        number = errno.ECHILD
        for _ in range(_TRIES):
            connection, pid = self._ordered(kind, order, theirs)
            if pid > 0:
                return connection, pid
            connection.close()
            if pid < 0:
                number = -pid
                break
        raise OSError(number, f"the host's fork server: {os.strerror(number)}")

    def _ordered(self, kind: bytes, order: bytes, theirs: list[int]) -> tuple[socket.socket, int]:
        """The pid is 0 when there was no server to take it: then there will be another one."""
        ours, there = socket.socketpair()
        reads, writes = os.pipe()
        try:
            with self._lock:
                server = self._server()
                with suppress(BrokenPipeError, ConnectionResetError):
                    socket.send_fds(server, [kind], [there.fileno(), reads, *theirs])
        except BaseException:
            os.close(writes)
            ours.close()
            raise
        finally:
            there.close()
            os.close(reads)
        with suppress(BrokenPipeError), os.fdopen(writes, "wb", buffering=0) as pipe:
            _write_all(pipe, order)
        if not _readable(ours, _START_SECONDS):
            ours.close()
            raise TimeoutError(errno.ETIMEDOUT, "the host's fork server does not answer")
        said = _said(ours)
        if not said:
            self._forget(server)
        return ours, REPLY.unpack(said)[0] if said else 0

    def _forget(self, server: socket.socket) -> None:
        """It ends, but is perhaps not gone yet."""
        with self._lock:
            if self._orders is server:
                server.close()
                self._orders = None

    def _server(self) -> socket.socket:
        alive = self._process and self._owner == os.getpid() and self._process.poll() is None
        if not (self._orders and alive):
            if self._orders:
                self._orders.close()
            self._orders, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with there:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", fork_server.__file__],
                    stdin=there.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    env={"PATH": os.defpath},
                    start_new_session=True,  # no signal of a terminal's ends it before its host
                )
            self._owner = os.getpid()
        return self._orders


SERVER = ForkServer()


def _pipes(*given: Given) -> tuple[list[IO[bytes] | None], list[int], list[int]]:
    """Our ends; what becomes its standard input, output and error; which of these to close."""
    ours: list[IO[bytes] | None] = []
    theirs, made = list[int](), list[int]()
    for number, stream in enumerate(given):
        if stream == subprocess.PIPE:
            reads, writes = os.pipe()
            mine, its, how = (writes, reads, "wb") if number == 0 else (reads, writes, "rb")
            ours.append(os.fdopen(mine, how, buffering=0))
            made.append(its)
        elif stream == subprocess.DEVNULL:
            its = os.open(os.devnull, os.O_RDWR)
            ours.append(None)
            made.append(its)
        else:
            its = stream if isinstance(stream, int) else stream.fileno()
            ours.append(None)
        theirs.append(its)
    return ours, theirs, made


def _write_all(pipe: IO[bytes], said: bytes) -> None:
    left = memoryview(said)
    while left:
        left = left[pipe.write(left) :]


def _said(connection: socket.socket) -> bytes:
    """Empty when it is silent or gone."""
    try:
        return connection.recv(REPLY.size, socket.MSG_DONTWAIT)
    except (BlockingIOError, ConnectionResetError):
        return b""


def _readable(connection: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))
