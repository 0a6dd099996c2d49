"""Sockets: turns HTTP into a Request, and a Reply into HTTP. Proxy and plain server in one."""

import socket
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .tunnels import Tunnels
from .wire import Reply, Request

ENTERPRISE = "/api/v3"
ENTERPRISE_GRAPHQL = "/api/graphql"
_ACCEPT_SECONDS = 1.0  # a caller that is gone by now must not stop all others, nor the end
Serve = Callable[[Request], Reply | None]  # None: drop the connection


class Server(ThreadingHTTPServer):
    """One thread per connection; all end with the server."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # fifty workers may call at once

    def __init__(
        self,
        address: str,
        port: int,
        serve: Serve,
        leak: Callable[[str], None],
        tunnels: Tunnels | None = None,
    ) -> None:
        super().__init__((address, port), _Handler)
        self.socket.settimeout(_ACCEPT_SECONDS)
        self.serve = serve
        self.leak = leak
        self.tunnels = tunnels
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self.shutdown()
            self._thread.join()
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """What waits for its next request waits as long as its client, whatever is usual here."""
        connection, address = super().get_request()
        connection.settimeout(None)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is everyday business in a test; anything else is ours."""
        error = sys.exc_info()[1]
        if isinstance(error, ConnectionError | TimeoutError | ssl.SSLError):
            print(f"a connection to the stand-in ended with {error!r}", file=sys.stderr)
        else:
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server
    scheme = "http"

    def answer(self) -> None:
        reply = self.server.serve(self._request())
        if reply is None:
            self.close_connection = True
        else:
            self._send(reply)

    def do_CONNECT(self) -> None:
        """A tunnel to ourselves, if we speak https; else something wants to leave this machine."""
        tunnels, (host, _, port) = self.server.tunnels, self.path.partition(":")
        if tunnels and host in tunnels.names and port == "443":
            self.close_connection = True
            tunnels.open(self.connection, self._secure)
            return
        self.server.leak(self.path)
        self.close_connection = True
        self._send(Reply(status=403, body={"message": f"No way to {self.path} from here"}))

    def _secure(self, connection: ssl.SSLSocket, cut: bool) -> None:
        kind = _CutHandler if cut else _SecureHandler
        kind(connection, self.client_address, self.server)

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = parts.netloc or headers.get("host", "")
        path, api_base = parts.path or "/", f"{self.scheme}://{host}"
        if path == ENTERPRISE_GRAPHQL:
            path = "/graphql"
        elif path == ENTERPRISE or path.startswith(f"{ENTERPRISE}/"):
            path, api_base = path.removeprefix(ENTERPRISE) or "/", api_base + ENTERPRISE
        return Request(
            method=self.command,
            host=host,
            path=path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=headers,
            body=self._body(),
            api_base=api_base,
        )

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _send(self, reply: Reply) -> None:
        payload = reply.payload()
        headers = {"Content-Type": "application/json; charset=utf-8"} | reply.headers
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if reply.status not in {204, 304}:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002
        """A request that is none, or one that did not come to its end."""
        print(f"the stand-in says: {format % args}", file=sys.stderr)

    def log_message(self, *_args: Any, **_kwargs: Any) -> None:
        """The stand-in keeps its own log."""


class _SecureHandler(_Handler):
    scheme = "https"


class _CutHandler(_SecureHandler):
    """Its answer ends before it is over."""

    def _send(self, reply: Reply) -> None:
        payload = reply.payload()
        self.close_connection = True
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload[: len(payload) // 2])


for _method in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)
