"""Since when this host has a credential, on its own disk: a broker may forget it."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from cw.homes.files import write_private
from cw.settings import Settings

log = logging.getLogger("workerhost.first_seen")

_MOST = 1000  # accounts; the oldest are forgotten first


class FirstSeen:
    """A line each: id of an account, and milliseconds since 1970. Thread-safe. Where it cannot be
    read or written, only the broker knows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._at = _read(path)

    def at(self, account_id: str) -> int | None:
        return self._at.get(account_id)

    def keep(self, account_id: str, at_ms: int) -> None:
        with self._lock:
            if self._at.get(account_id) == at_ms:
                return
            self._at[account_id] = at_ms
            newest = sorted(self._at.items(), key=lambda row: row[1])[-_MOST:]
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                text = "".join(f"{one} {ms}\n" for one, ms in newest)
                write_private(self._path, text.encode())
            except OSError as error:
                log.warning("%s cannot be written: %s", self._path, error.strerror)


def first_seen_file(settings: Settings) -> Path:
    name = settings.host_name.replace(os.sep, "-")
    return settings.state_dir / "accounts" / f"{name}.txt"


def _read(path: Path) -> dict[str, int]:
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        log.warning("%s cannot be read: %s", path, error.strerror)
        return {}
    rows = [line.split() for line in lines]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}
