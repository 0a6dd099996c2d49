"""The stand-in as a proxy for https: tunnels that end at itself, and the ways in which they fail.

As in real life, whoever wants a page over https asks a proxy for a tunnel (CONNECT), and what goes
wrong goes wrong there, in TLS, or in the middle of an answer.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from tests.standins.authority import Authority

Trouble = Literal[
    "refused",  # the proxy says 403
    "bad gateway",  # the proxy says 502
    "silent",  # the proxy hangs up without an answer
    "hangs up",  # the other end hangs up as soon as there is a tunnel
    "reset",  # the same, rudely
    "no tls",  # somebody speaks plain HTTP there: a portal that wants a login
    "alert",  # it speaks TLS and wants none of ours
    "expired",
    "another name",
    "unknown authority",
    "cut",  # hangs up in the middle of an answer
    "cut rudely",  # resets in the middle of an answer
    "http2 stream",  # HTTP/2: RST_STREAM
    "http2 goaway",  # HTTP/2: GOAWAY
]
TROUBLES: tuple[Trouble, ...] = Trouble.__args__  # type: ignore[attr-defined]
_PROXY: dict[str, bytes] = {
    "refused": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "bad gateway": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "silent": b"",
}
_ALERT = bytes.fromhex("15030100020228")  # fatal: handshake failure
_PORTAL = b"HTTP/1.1 302 Found\r\nLocation: http://login.invalid/\r\nContent-Length: 0\r\n\r\n"
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets
_SETTINGS = bytes.fromhex("000000040000000000")
_STREAM_ERROR = bytes.fromhex("00000403000000000100000002")  # stream 1: INTERNAL_ERROR
_GOAWAY = bytes.fromhex("0000080700000000000000000000000002")  # INTERNAL_ERROR, none was served


@dataclass
class Tunnels:
    """`names`: what ends here; tunnels to anything else are leaks."""

    authority: Authority
    names: tuple[str, ...]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ordered: list[tuple[Trouble, int | None]] = field(default_factory=list)
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def order(self, trouble: Trouble, times: int | None) -> None:
        with self._lock:
            self._ordered.append((trouble, times))

    def clear(self) -> None:
        with self._lock:
            self._ordered.clear()

    def take(self) -> Trouble | None:
        """What is wrong with the next tunnel, used up by one."""
        with self._lock:
            if not self._ordered:
                return None
            trouble, times = self._ordered.pop(0)
            if times != 1:
                self._ordered.insert(0, (trouble, None if times is None else times - 1))
            return trouble

    def open(self, client: socket.socket, serve: Callable[[ssl.SSLSocket, bool], None]) -> None:
        """Answers CONNECT, and has what comes served. `serve` is told to cut its answer."""
        trouble = self.take() or "none"
        if trouble in _PROXY:
            client.sendall(_PROXY[trouble])
            return
        client.sendall(_ESTABLISHED)
        if trouble in {"hangs up", "reset", "no tls", "alert"}:
            self._before_tls(client, trouble)
            return
        with suppress(OSError), self._context(trouble).wrap_socket(client, server_side=True) as tls:
            if trouble.startswith("http2"):
                _http2(tls, _STREAM_ERROR if trouble == "http2 stream" else _GOAWAY)
            else:
                serve(tls, trouble.startswith("cut"))
                if trouble == "cut rudely":
                    tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)

    def _before_tls(self, client: socket.socket, trouble: str) -> None:
        if trouble == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        if trouble in {"no tls", "alert"}:
            client.recv(4096)
            client.sendall(_PORTAL if trouble == "no tls" else _ALERT)
        client.close()

    def _context(self, trouble: str) -> ssl.SSLContext:
        with self._lock:
            if trouble not in self._contexts:
                self._contexts[trouble] = self._made(trouble)
            return self._contexts[trouble]

    def _made(self, trouble: str) -> ssl.SSLContext:
        if trouble == "another name":
            return self.authority.server("elsewhere.invalid")
        context = self.authority.server(
            *self.names, expired=trouble == "expired", own=trouble == "unknown authority"
        )
        if trouble.startswith("http2"):
            context.set_alpn_protocols(["h2"])
        return context


def _http2(tls: ssl.SSLSocket, last: bytes) -> None:
    """Just enough of it to fail: a request came in, and this is what becomes of it."""
    tls.sendall(_SETTINGS)
    given = b""
    while b"\x01" not in _kinds(given):
        part = tls.recv(4096)
        if not part:
            return
        given += part
    tls.sendall(last)
    with suppress(OSError):
        while tls.recv(4096):
            pass


def _kinds(given: bytes) -> bytes:
    """The types of the frames after the client's preface."""
    rest, found = given[24:], b""
    while len(rest) >= 9:
        found += rest[3:4]
        rest = rest[9 + int.from_bytes(rest[:3]) :]
    return found
