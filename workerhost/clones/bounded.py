"""One command of the host on what agents made: bounded in time, memory, bytes and entries.

Its output is streamed. What exceeds a bound ends it, with the reason; the host's own memory never
holds more than the bound.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cw.errors import LostServerError
from workerhost.clones.done import Done
from workerhost.shutdown import HostLeavesError
from workerhost.walls.fork_client import SERVER, Command, Forked, Streams

_TEXT_BYTES = 8 << 20
_ENTRIES = 100_000
_WORDS_BYTES = 64 << 10  # of what it says on stderr: the last ones count
_CHUNK = 1 << 18
_POLL_SECONDS = 0.2
_END_SECONDS = 2.0
_NO_MEMORY = ("out of memory", "cannot allocate memory", "malloc failed", "mmap failed")
_OOM_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)


@dataclass(slots=True)
class Budget:
    """Seconds that several commands have together; what passes between them does not count. `lost`:
    one of them was, so that what came of them all tells nothing.
    """

    left: float
    lost: bool = False

    @contextmanager
    def spent(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.left -= time.monotonic() - began


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """`memory_mb`: 0 for none. `text` and `entries` (lines, or what NUL ends) are of its output.
    `umask` is of what it makes; the host's own when negative.
    """

    seconds: float
    memory_mb: int = 0
    umask: int = -1
    text: int = _TEXT_BYTES
    entries: int = _ENTRIES


@dataclass(frozen=True, kw_only=True, slots=True)
class Feeding:
    """What goes in and where it comes out. `source` is its standard input; `sink` gets its output
    piece by piece, which then is not kept.
    """

    source: IO[bytes] | bytes | None = None
    sink: Callable[[bytes], object] | None = None


def bounded(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    limits: Limits,
    feeding: Feeding = Feeding(),
    leave: threading.Event | None = None,
) -> Done:
    """Raises HostLeavesError once `leave` is set, LostServerError, and what the sink raises."""
    if limits.seconds <= 0:
        return Done(ok=False, out="", err="", over="the time for all of it")
    source = feeding.source
    command = Command(
        argv=argv, env=env, cwd=cwd, umask=limits.umask, data_bytes=limits.memory_mb << 20
    )
    streams = Streams(
        stdin=subprocess.PIPE if isinstance(source, bytes) else (source or subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with SERVER.start(command, streams) as process:
        try:
            done = _Watch(process, limits, feeding, leave).done()
            if process.lost:
                raise LostServerError
            return done
        finally:
            _end(process)


class _Watch:
    """One process, until its output ends or exceeds something."""

    def __init__(
        self,
        process: Forked,
        limits: Limits,
        feeding: Feeding,
        leave: threading.Event | None,
    ) -> None:
        self._process, self._limits, self._leave = process, limits, leave
        self._sink = feeding.sink
        self._input = memoryview(feeding.source if isinstance(feeding.source, bytes) else b"")
        self._out, self._err = bytearray(), bytearray()
        self._bytes = self._entries = 0
        self._deadline = time.monotonic() + limits.seconds

    def done(self) -> Done:
        over = self._until_end()
        if not over:
            over = self._await()
        code = self._process.poll()
        err = self._err.decode("utf-8", "replace").strip()
        if not over and code and self._starved(code, err):
            over = f"more than {self._limits.memory_mb} MB of memory"
        out = self._out.decode("utf-8", "replace")
        return Done(ok=code == 0 and not over, out=out, err=err, over=over)

    def _starved(self, code: int, err: str) -> bool:
        said = err.lower()
        return code in _OOM_KILLED or any(words in said for words in _NO_MEMORY)

    def _until_end(self) -> str:
        """Which bound was exceeded; empty when the output ended first."""
        with selectors.DefaultSelector() as pipes:
            for pipe in (self._process.stdout, self._process.stderr):
                pipes.register(pipe, selectors.EVENT_READ)  # type: ignore[arg-type]
            if self._process.stdin:
                os.set_blocking(self._process.stdin.fileno(), False)
                pipes.register(self._process.stdin, selectors.EVENT_WRITE)
            while pipes.get_map():
                self._look_up()
                if time.monotonic() > self._deadline:
                    return self._too_long
                for key, _ in pipes.select(_POLL_SECONDS):
                    if not self._move(key.fileobj):
                        pipes.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]
                if over := self._over():
                    return over
        return ""

    def _move(self, pipe: object) -> bool:
        """Whether there may be more."""
        if pipe is self._process.stdin:
            return self._write()
        chunk = os.read(pipe.fileno(), _CHUNK)  # type: ignore[attr-defined]
        if pipe is self._process.stderr:
            self._err += chunk
            del self._err[:-_WORDS_BYTES]
            return bool(chunk)
        self._bytes += len(chunk)
        if self._sink:
            self._sink(chunk)
        else:
            self._entries += chunk.count(b"\n") + chunk.count(b"\0")
            self._out += chunk[: max(0, self._limits.text - len(self._out))]
        return bool(chunk)

    def _write(self) -> bool:
        try:
            sent = os.write(self._process.stdin.fileno(), self._input[:_CHUNK])  # type: ignore[union-attr]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        self._input = self._input[sent:]
        return bool(self._input)

    def _over(self) -> str:
        if self._bytes > self._limits.text:
            return f"more than {self._limits.text} bytes of output"
        if self._entries > self._limits.entries:
            return f"more than {self._limits.entries} entries"
        return ""

    def _await(self) -> str:
        while self._process.poll() is None:
            self._look_up()
            left = self._deadline - time.monotonic()
            if left < 0:
                return self._too_long
            with suppress(TimeoutError):
                self._process.wait(min(left, _POLL_SECONDS))
        return ""

    @property
    def _too_long(self) -> str:
        return f"more than {self._limits.seconds:.0f} s"

    def _look_up(self) -> None:
        if self._leave and self._leave.is_set():
            raise HostLeavesError
        self._process.poll()
        if self._process.lost:  # whatever of it still holds its pipes
            raise LostServerError


def _end(process: Forked) -> None:
    """With what it started. Its pipes are closed, not read: others may still hold them."""
    if process.poll() is not None:
        # bubblewrap 0.8.0: a child whose parent was killed before it said "go on" waits for that
        # for ever, in its parent's group and with its pipes.
        if process.lost:
            process.signal_group(signal.SIGKILL)
        return
    process.signal_group(signal.SIGTERM)
    try:
        process.wait(_END_SECONDS)
    except TimeoutError:
        process.signal_group(signal.SIGKILL)
        with suppress(TimeoutError):
            process.wait(_END_SECONDS)
