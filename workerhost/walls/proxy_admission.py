"""The counter of the proxy: who is served, who has to come again, and who took too long to ask.

Standard library only: the proxy of each run uses it.
"""

import errno
import resource
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_MOST = 128  # connections at once; each has two threads and two descriptors
_SPARE = 16  # descriptors for everything else: names are looked up by some
_HEAD_SECONDS = 30.0  # from the connection to the end of the request's head
_TICK_SECONDS = 1.0
_PAUSE_SECONDS = 0.05
_STACK_BYTES = 256 << 10
# A connection that was given up before we took it, or a machine that is out of something.
_PASSING = frozenset(
    {
        errno.ECONNABORTED,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EPERM,
        errno.EPROTO,
    }
)
_BUSY = b"Claude Workers: too many connections at once\n"
_REFUSAL = (
    b"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nRetry-After: 1\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(_BUSY), _BUSY)
)


class Visit:
    """One connection. `asked` is said when the head of its request is there; `place`: for what."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.until = time.monotonic() + _HEAD_SECONDS
        self.place = ""

    def asked(self) -> None:
        self.until = float("inf")


class Counter:
    """Serves each connection in a thread, never more of them than there is room for."""

    def __init__(self, answer: Callable[[Visit], None]) -> None:
        self._answer = answer
        self._visits: set[Visit] = set()
        self._lock = threading.Lock()
        self._room = room(_MOST)
        threading.stack_size(_STACK_BYTES)

    def serve(self, listener: socket.socket) -> None:
        listener.settimeout(_TICK_SECONDS)
        looked = time.monotonic()
        while True:
            with suppress(TimeoutError):
                self._next(listener)
            now = time.monotonic()
            if now - looked >= _TICK_SECONDS:
                looked = now
                self._end_the_silent(now)

    def _next(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except TimeoutError:
            raise
        except OSError as error:
            if error.errno not in _PASSING:
                raise
            time.sleep(_PAUSE_SECONDS)  # until somebody has left
            return
        client.settimeout(None)
        visit = Visit(client)
        with self._lock:
            full = len(self._visits) >= self._room
            if not full:
                self._visits.add(visit)
        if full:
            _refuse(client)
            return
        try:
            threading.Thread(target=self._serve, args=(visit,), daemon=True).start()
        except (RuntimeError, MemoryError):  # "can't start new thread"
            self._leave(visit)
            _refuse(client)
            time.sleep(_PAUSE_SECONDS)

    def _serve(self, visit: Visit) -> None:
        try:
            self._answer(visit)
        finally:
            self._leave(visit)

    def _leave(self, visit: Visit) -> None:
        with self._lock:
            self._visits.discard(visit)

    def _end_the_silent(self, now: float) -> None:
        """Whoever reads from them sees their end, and ends."""
        with self._lock:
            late = [visit for visit in self._visits if visit.until < now]
            for visit in late:
                with suppress(OSError):
                    visit.client.shutdown(socket.SHUT_RD)


def room(most: int) -> int:
    """How many connections the limit of descriptors leaves room for; it is raised if it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * most + _SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return most
    return max(1, min(most, (soft - _SPARE) // 2))


def _refuse(client: socket.socket) -> None:
    with client, suppress(OSError):
        client.setblocking(False)
        client.send(_REFUSAL)
