"""Heads and bodies of HTTP requests as the proxy passes them on: only what every server behind it
reads in the same way.

Standard library only: the proxy of each run uses it.
"""

import re
import socket
from typing import IO

HEAD_BYTES = 65536
_HEAD_LINES = 256  # each takes more memory than it has bytes
_REQUEST = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\x00-\x20\x7f\\]+) HTTP/1\.[01]")
_HEADER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")


class RefusedError(Exception):
    """What the client is told."""


def head(given: IO[bytes]) -> tuple[str, str, list[bytes]]:
    """Method, target and headers."""
    first, *rest = lines(given)
    words = _REQUEST.fullmatch(first.decode("latin-1"))
    if not words or not all(map(_HEADER.fullmatch, rest)):
        raise RefusedError("not a request")
    return words[1], words[2], rest


def lines(given: IO[bytes]) -> list[bytes]:
    """Of a head: at least one. Raises ValueError."""
    found: list[bytes] = []
    size = 0
    while True:
        line = given.readline(HEAD_BYTES)
        size += len(line)
        if not line.endswith(b"\n") or size > HEAD_BYTES or len(found) > _HEAD_LINES:
            raise ValueError("no head")
        line = line.rstrip(b"\r\n")
        if not line and found:
            return found
        found.append(line)


def length(headers: list[bytes]) -> int | None:
    """Of the body; None: it comes in chunks. Two servers may believe two different lengths."""
    sizes, codings = _all(headers, b"content-length"), _all(headers, b"transfer-encoding")
    if len(sizes) + len(codings) > 1:
        raise RefusedError("a body with two lengths")
    if codings:
        if codings[0].lower() != b"chunked":
            raise RefusedError("a body in an unknown coding")
        return None
    if not sizes:
        return 0
    if not _LENGTH.fullmatch(sizes[0]):
        raise RefusedError("a body without a length")
    return int(sizes[0])


def _all(headers: list[bytes], name: bytes) -> list[bytes]:
    pairs = (header.split(b":", 1) for header in headers)
    return [value.strip(b" \t") for key, value in pairs if key.lower() == name]


def body(given: IO[bytes], size: int | None, server: socket.socket) -> None:
    """Exactly this request's body. Of chunks, what is said beside their sizes is left out."""
    if size is not None:
        _copy(given, size, server)
        return
    while part := _chunk(given):
        server.sendall(b"%x\r\n" % part)
        _copy(given, part, server)
        if given.read(2) != b"\r\n":
            raise RefusedError("a chunk of another size")
        server.sendall(b"\r\n")
    while given.readline(HEAD_BYTES).strip():  # trailers, and the empty line after them
        pass
    server.sendall(b"0\r\n\r\n")


def _chunk(given: IO[bytes]) -> int:
    said = _CHUNK.fullmatch(given.readline(HEAD_BYTES))
    if not said:
        raise RefusedError("a chunk without a size")
    return int(said[1], 16)


def _copy(given: IO[bytes], size: int, server: socket.socket) -> None:
    while size > 0:
        part = given.read1(min(size, 65536))  # type: ignore[attr-defined]
        if not part:
            raise OSError("the client went away")
        server.sendall(part)
        size -= len(part)
