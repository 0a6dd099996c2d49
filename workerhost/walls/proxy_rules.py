"""Which hosts the proxy lets through, and by which way it asks them.

Standard library only: the proxy uses it, and there is one beside each running agent.
"""

import re
import socket
from typing import Any
from urllib.parse import urlsplit

from workerhost.walls.addresses import is_address, is_public
from workerhost.walls.http_framing import RefusedError

CONNECT_SECONDS = 30.0
PORTS = (22, 80, 443)  # of hosts in `domains`
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]+")


class Rules:
    """`domains`: names, or `*.` and a suffix. `endpoints` are `host:port` that are allowed whatever
    they are; `closed` ones never. `upstream`: the operator's own proxy, for hosts not in `direct`.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self._domains = tuple(told.get("domains", ()))
        self._endpoints = frozenset(told.get("endpoints", ()))
        self._closed = frozenset(told.get("closed", ()))
        self._upstream = str(told.get("upstream", ""))
        self._direct = str(told.get("direct", ""))

    def check(self, host: str, port: int) -> None:
        """Raises RefusedError."""
        if not _NAME.fullmatch(host) or not self._allows(host, port):
            raise RefusedError(f"{host[:100]!r} port {port} is not among the allowed hosts")

    def _allows(self, host: str, port: int) -> bool:
        place = f"{host}:{port}"
        if place in self._closed:
            return False
        if place in self._endpoints:
            return True
        return port in PORTS and not is_address(host) and self._named(host)

    def _named(self, host: str) -> bool:
        suffixes = (name[1:] for name in self._domains if name.startswith("*."))
        return host in self._domains or host.endswith(tuple(suffixes))

    def upstream(self, host: str) -> str:
        """URL of the proxy to ask; empty: none."""
        if not self._upstream or _is_direct(host, self._direct):
            return ""
        return self._upstream

    def connect(self, host: str, port: int) -> socket.socket:
        """To an allowed host itself. A name of `domains` that points into this machine or its
        network is refused.
        """
        own = f"{host}:{port}" in self._endpoints
        error: OSError | None = None
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if not own and not is_public(str(address[0])):
                raise RefusedError(f"{host} points into a private network")
            try:
                return socket.create_connection((str(address[0]), port), CONNECT_SECONDS)
            except OSError as problem:
                error = problem
        raise error or OSError(f"{host} has no address")


def _is_direct(host: str, told: str) -> bool:
    """`told` as in no_proxy: names with all below them, or `*`."""
    names = [name.strip().lstrip(".") for name in told.lower().split(",")]
    return "*" in names or any(name and f".{host}".endswith(f".{name}") for name in names)


def split_place(text: str, default: int) -> tuple[str, int]:
    """`host:port`, also with [an IPv6 address]. Nobody's name or password belongs there."""
    if "@" in text:
        raise RefusedError("no such host")
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedError("no such host") from error
    if not host:
        raise RefusedError("no host")
    return host.lower().removesuffix("."), default if port is None else port


def joined_place(host: str, port: int) -> str:
    """As `split_place` reads it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
