"""The one way out of the wall: an HTTP proxy that lets through what its rules allow.

Started as `python -I -S proxy.py`, with a listening socket as standard input. In `CW_REACH`: JSON,
{domains, endpoints, closed, upstream, direct}. In `CW_BECOME`: `uid:gid` of whom root is to become.
In `CW_PARENT`: the pid of whoever started it, with whom it ends. A fork server does `main` for the
host's own commands. Standard library only: there is one beside each running agent.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import IO
from urllib.parse import unquote, urlsplit

if __name__ == "__main__":  # isolated: what lies beside it is not found
    sys.path.append(__file__.rsplit("/", 3)[0])

from workerhost.walls import http_framing, proxy_errors
from workerhost.walls.http_framing import RefusedError
from workerhost.walls.proxy_admission import Counter, Visit
from workerhost.walls.proxy_rules import CONNECT_SECONDS, Rules, joined_place, split_place

_HOP = (b"proxy-", b"connection:", b"keep-alive:")
_PR_SET_PDEATHSIG = 1
_LISTENER = 0  # its standard input


def serve(listener: socket.socket, rules: Rules) -> None:
    Counter(lambda visit: _answer(visit, rules)).serve(listener)


def _answer(visit: Visit, rules: Rules) -> None:
    client = visit.client
    with client, client.makefile("rb") as given:
        try:
            _relay(visit, given, rules)
        except RefusedError as error:
            proxy_errors.write(visit.place, error)
            _say(client, 403, f"Claude Workers: {error}\n")
        except (OSError, ValueError) as error:
            proxy_errors.write(visit.place, error)
            _say(client, 502, f"Claude Workers: {type(error).__name__}\n")
        except (RuntimeError, MemoryError):  # "can't start new thread"
            _say(client, 503, "Claude Workers: no room for another connection\n")


def _relay(visit: Visit, given: IO[bytes], rules: Rules) -> None:
    client = visit.client
    method, target, headers = http_framing.head(given)
    visit.asked()
    if method == "CONNECT":
        host, port = split_place(target, 443)
        visit.place = joined_place(host, port)
        rules.check(host, port)
        with _tunnel(host, port, rules) as server:
            _both_ways(client, given, server, visit.place)
        return
    parts = urlsplit(target)
    if parts.scheme != "http":
        raise RefusedError("a proxy wants CONNECT or an http:// URL")
    host, port = split_place(parts.netloc, 80)
    visit.place = joined_place(host, port)
    rules.check(host, port)
    size, upstream = http_framing.length(headers), rules.upstream(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = _request(
        method, joined_place(host, port).removesuffix(":80"), path, headers, upstream
    )
    with _ask(upstream) if upstream else rules.connect(host, port) as server:
        server.settimeout(None)
        server.sendall(request)
        ours = threading.Event()
        told = (server.makefile("rb"), client, ours, visit.place)
        back = threading.Thread(target=_back, args=told, daemon=True)
        back.start()
        try:
            http_framing.body(given, size, server)
        except (OSError, RefusedError):
            ours.set()  # before the other thread sees the end of it
            server.shutdown(socket.SHUT_RDWR)  # its other end would wait for the rest
            raise
        back.join()


def _request(method: str, place: str, path: str, headers: list[bytes], upstream: str) -> bytes:
    """What was checked is what is asked for: a proxy outside may read the client's own words, and a
    server its Host, in another way than we do.
    """
    first = f"{method} {f'http://{place}' if upstream else ''}{path} HTTP/1.1".encode("latin-1")
    # One request a connection: the next one might name another host.
    kept = [line for line in headers if not line.lower().startswith((*_HOP, b"host:"))]
    own = [b"Connection: close", *(_credentials(upstream) if upstream else ())]
    return b"\r\n".join([first, f"Host: {place}".encode(), *kept, *own]) + b"\r\n\r\n"


def _tunnel(host: str, port: int, rules: Rules) -> socket.socket:
    upstream = rules.upstream(host)
    if not upstream:
        server = rules.connect(host, port)
        server.settimeout(None)
        return server
    server = _ask(upstream)
    place = joined_place(host, port)
    lines = [f"CONNECT {place} HTTP/1.1".encode(), f"Host: {place}".encode()]
    server.sendall(b"\r\n".join([*lines, *_credentials(upstream)]) + b"\r\n\r\n")
    said = b""
    while not said.endswith(b"\r\n\r\n") and len(said) < http_framing.HEAD_BYTES:
        byte = server.recv(1)
        if not byte:
            break
        said += byte
    status = said.split(b" ")[1:2]
    if status != [b"200"]:
        server.close()
        code = b"".join(status).decode("ascii", "replace")[:3]
        raise proxy_errors.UpstreamError(code or "no answer")
    server.settimeout(None)
    return server


def _ask(upstream: str) -> socket.socket:
    parts = urlsplit(upstream)
    return socket.create_connection((parts.hostname or "", parts.port or 80), CONNECT_SECONDS)


def _credentials(upstream: str) -> list[bytes]:
    parts = urlsplit(upstream)
    if parts.username is None:
        return []
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return [b"Proxy-Authorization: Basic " + b64encode(pair)]


def _both_ways(client: socket.socket, given: IO[bytes], server: socket.socket, place: str) -> None:
    told = (server.makefile("rb"), client, place)
    back = threading.Thread(target=_established, args=told, daemon=True)
    back.start()  # before anything was said: without it there is no tunnel
    _pump(given, server)
    back.join()


def _established(source: IO[bytes], client: socket.socket, place: str) -> None:
    with suppress(OSError):
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    _pump(source, client, place)


def _back(source: IO[bytes], client: socket.socket, ours: threading.Event, place: str) -> None:
    """The answer, which says that the connection ends with it: the client would send the next
    request into a connection that is being closed. Unless the last word is `ours`.
    """
    with suppress(OSError, ValueError):
        interim = True
        while interim:
            lines = _head(source, place)
            interim = lines[0].split(b" ")[1:2] == [b"100"]
            kept = [line for line in lines if not line.lower().startswith(_HOP)]
            last = [] if interim else [b"Connection: close"]
            client.sendall(b"\r\n".join([*kept, *last]) + b"\r\n\r\n")
    if not ours.is_set():
        _pump(source, client, place)


def _pump(source: IO[bytes], target: socket.socket, place: str = "") -> None:
    """Until either end is closed; then the other is told. `place`: whose end it is that is read."""
    with suppress(OSError, ValueError):
        while part := _part(source, place):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _head(source: IO[bytes], place: str) -> list[bytes]:
    try:
        return http_framing.lines(source)
    except (OSError, ValueError) as error:
        proxy_errors.write(place, error)
        raise


def _part(source: IO[bytes], place: str) -> bytes:
    try:
        return source.read1(65536)  # type: ignore[attr-defined, no-any-return]
    except OSError as error:
        if place:
            proxy_errors.write(place, error)
        raise


def _say(client: socket.socket, status: int, text: str) -> None:
    body = text.encode("utf-8", "replace")
    head = f"HTTP/1.1 {status} No\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    with suppress(OSError):
        client.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)


def _become(told: str) -> None:
    """`uid:gid`; empty: who we are."""
    if told:
        "a".encode("idna")  # loaded when first needed, and then it may not be readable any more
        uid, gid = map(int, told.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def main(env: Mapping[str, str], parent: int) -> None:
    """`parent`: the pid of whoever started it, with whom it ends."""
    _become(env.get("CW_BECOME", ""))  # first: it makes the kernel forget the next line
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # killed while we started: no signal comes
        return
    serve(socket.socket(fileno=_LISTENER), Rules(json.loads(env["CW_REACH"])))


if __name__ == "__main__":
    main(os.environ, int(os.environ["CW_PARENT"]))
