"""Where Flower listens is where it is looked for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import AF_INET6
from socketserver import TCPServer
from threading import Thread

import pytest

from cw.services import health
from cw.services.catalog import flower_ready, flower_url, flower_url_file
from cw.settings import Settings
from tests.needs import require


class Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthcheck" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on the terminal of the tests."""


def resolves(address: str) -> bool:
    try:
        return bool(socket.getaddrinfo(address or None, 0))
    except socket.gaierror:
        return False


class SixServer(TCPServer):
    address_family = AF_INET6


@contextmanager
def listening(address: str) -> Iterator[int]:
    with (SixServer if ":" in address else TCPServer)((address, 0), Web) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


ADDRESSES = ("127.0.0.1", "127.0.0.3", "0.0.0.0", "", "localhost", "::1", "::")  # noqa: S104


@pytest.mark.parametrize("address", ADDRESSES)
def test_flower_is_found_at_its_address(tmp_path: Path, address: str) -> None:
    require(resolves(address), f"a name server or hosts file that knows {address}")
    settings = Settings(state_dir=tmp_path, flower_address=address)
    assert health.flower(settings) == "Flower does not listen"
    with listening(address) as port:
        path = flower_url_file(settings)
        path.parent.mkdir()
        path.write_text(flower_url(settings, port), "utf-8")

        assert flower_ready(settings)
        assert health.flower(settings) == ""
    assert "Flower does not answer" in health.flower(settings)


def test_no_flower_is_not_unhealthy(tmp_path: Path) -> None:
    assert health.flower(Settings(state_dir=tmp_path, flower_port=0)) == ""
