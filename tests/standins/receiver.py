"""Who gets notices: a web server on loopback that keeps what it got, and answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

SECRET = "a secret that both of them share"


@dataclass
class Receiver:
    """`answers`: statuses of the next answers, then 200. `taken`: what was answered with 200."""

    server: ThreadingHTTPServer
    answers: list[int] = field(default_factory=list)
    asked: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    unsigned: int = 0
    location: str = ""  # of answers that lead elsewhere

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook/of-nobody-else"

    @property
    def address(self) -> str:
        return f"webhook:{self.url}"

    def ids(self) -> list[str]:
        return [one["id"] for one in self.taken]


class _Handler(BaseHTTPRequestHandler):
    receiver: ClassVar[Receiver]

    def do_POST(self) -> None:
        receiver = self.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        receiver.asked += 1
        receiver.unsigned += self.headers["X-CW-Signature"] != f"sha256={mac}"
        status = receiver.answers.pop(0) if receiver.answers else 200
        if status == 200:
            receiver.taken.append(json.loads(body))
        self.send_response(status)
        if receiver.location:
            self.send_header("Location", receiver.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests say what they want to know."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        receiver = handler.receiver = Receiver(server)  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nobody listens, and nobody else will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        yield f"webhook:http://127.0.0.1:{taken.getsockname()[1]}/away"
