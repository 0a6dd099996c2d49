"""Tells systemd what a unit of Type=notify promises: ready, alive, stopping. Elsewhere: nothing."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping

log = logging.getLogger("cw.sdnotify")

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


def notify(environ: Mapping[str, str], word: str) -> bool:
    """Whether systemd was told. A supervisor that cannot be reached is no reason to stop work."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):  # Linux's abstract names
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            connection.connect(address)
            connection.sendall(word.encode())
    except OSError as error:
        log.warning("systemd was not told %s: %s", word, error)
        return False
    return True
