"""Which GitHub writes and notices this host has carried out, on its own disk: who can write at the
broker can also delete there what the broker remembers of them.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from cw.errors import BadInputError
from cw.homes.files import write_private
from cw.settings import Settings

log = logging.getLogger("workerhost.delivered")

_SPARE = 1000  # lines; a file that has more than these and double what counts is written anew


class Delivered:
    """A line each: id, and epoch seconds after which it is refused for its age. For one thread.

    Raises BadInputError when there is a file that cannot be read.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._until = _read(path)
        self._room = 0  # lines until it is written anew: at once, as it may be torn

    def knows(self, entry_id: str) -> bool:
        return entry_id in self._until

    def add(self, entry_id: str, until: float) -> None:
        """On the disk when this returns. A disk that takes nothing is no reason to tell GitHub
        the same again and again: then it is remembered until this host ends, and at the broker.
        """
        self._until[entry_id] = until
        try:
            if self._room > 0:
                self._append(_line(entry_id, until))
            else:
                self._rewrite()
        except OSError as error:
            self._room = 0
            log.warning("%s cannot be written: %s", self._path, error.strerror)

    def _rewrite(self) -> None:
        now = self._clock()
        self._until = {entry_id: end for entry_id, end in self._until.items() if end > now}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = (_line(entry_id, end) for entry_id, end in self._until.items())
        write_private(self._path, "".join(lines).encode())
        self._room = len(self._until) + _SPARE

    def _append(self, line: str) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        self._room -= 1


def delivered_file(settings: Settings, folder: str = "") -> Path:
    name = settings.host_name.replace(os.sep, "-")
    return settings.state_dir / "delivered" / folder / f"{name}.txt"


def _line(entry_id: str, until: float) -> str:
    return f"{entry_id} {until:.0f}\n"


def _read(path: Path) -> dict[str, float]:
    """Half a line is what a power cut left of one nobody relied on."""
    try:
        text = path.read_text("ascii", "replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror}", hint="It is this host's own"
        ) from error
    whole = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {words[0]: float(words[1]) for words in whole if len(words) == 2 and words[1].isdigit()}
