"""What a door's proxy saw go wrong, for whoever opened it: structure where git has only words.

One line of JSON each, [place, what, detail], on the proxy's standard error, which nobody else gets.
Standard library only: the proxy uses it.
"""

import errno
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Literal, NamedTuple

from workerhost.walls.http_framing import RefusedError

What = Literal[
    "refused",  # not among the allowed hosts: final
    "unresolved",  # no address for the name
    "unreachable",  # nobody answers there
    "upstream",  # the operator's own proxy did not let it through; detail: its status
    "broken",  # the connection was there, and broke
]
_STDERR = 2
_MOST_BYTES = 1 << 16


class Seen(NamedTuple):
    place: str  # host:port as it was asked for
    what: What
    detail: str = ""


class UpstreamError(OSError):
    """The operator's own proxy says no. Its text is the status."""


def kind(error: Exception) -> tuple[What, str]:
    if isinstance(error, UpstreamError):
        return "upstream", str(error)
    if isinstance(error, socket.gaierror):
        return "unresolved", error.strerror or ""
    if isinstance(error, OSError):
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        gone = isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError)
        return ("broken" if gone else "unreachable"), name
    return ("refused", str(error)) if isinstance(error, RefusedError) else ("broken", str(error))


def write(place: str, error: Exception) -> None:
    """Unless it was no request."""
    with suppress(OSError):
        if place and os.fstat(_STDERR).st_size < _MOST_BYTES:
            what, detail = kind(error)
            os.write(_STDERR, json.dumps([place[:300], what, detail[:300]]).encode() + b"\n")


class Notes:
    """Of one door."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @property
    def handle(self) -> int:
        return self._file.fileno()

    def read(self) -> tuple[Seen, ...]:
        """So far, oldest first."""
        self._file.seek(0)
        return tuple(_lines(self._file))


@contextmanager
def notes() -> Iterator[Notes]:
    """A file without a name: nothing is left of it, whoever is killed."""
    with tempfile.TemporaryFile() as file:
        yield Notes(file)


def _lines(file: IO[bytes]) -> Iterator[Seen]:
    for line in file:
        with suppress(ValueError, TypeError):
            place, what, detail = json.loads(line)
            yield Seen(str(place), what, str(detail))
