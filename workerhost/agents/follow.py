"""Following a run: read its log as it grows, feed the store's stream, keep the lease."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from cw.errors import CwError
from cw.models import Event
from workerhost.agents import launch
from workerhost.agents.events import Progress, parse, parse_line
from workerhost.agents.leftovers import end_leftovers
from workerhost.homes.layout import Home
from workerhost.leaving import Leaving

_POLL_SECONDS = 0.2
_CHUNK = 1 << 20
_UNSENT_KEPT = 2000  # as many as the stream keeps
LINE_BYTES = 16 << 20  # a longer line is no event: whoever wrote it wants the host's memory


class Ending(Enum):
    EXITED = "the run is over"
    LOST = "the shim is gone without a record"
    DETACHED = "the host stops; the run goes on"
    FENCED = "the lease was lost; the run was stopped"
    TAKEN = "another host process has the run now"


@dataclass(slots=True)
class Follower:
    """Reads worker.log from the start, for the totals; publishes what the stream lacks."""

    home: Home
    publish: Callable[[list[Event]], None]
    published_to: int = 0  # bytes of the log whose events the stream has
    progress: Progress = field(default_factory=Progress)
    _rest: bytes = b""
    _cut: bool = False  # the beginning of the next line was dropped
    _unsent: list[Event] = field(default_factory=list)

    def read(self) -> bool:
        """Take what the log has grown by. False when it had not."""
        start = self.progress.offset + len(self._rest)
        try:
            with self.home.log.open("rb") as file:
                file.seek(start)
                data = file.read(_CHUNK)
        except FileNotFoundError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._rest) > LINE_BYTES:
            self.progress.offset += len(self._rest)
            self._rest, self._cut = b"", True
        self._send()
        return bool(data)

    def finish(self) -> None:
        """Read to the end, and a last line that was cut off."""
        while self.read():
            pass
        if self._rest.strip():
            self._take(self._rest)
            self._rest = b""
        self._send()

    def _take(self, line: bytes) -> None:
        self.progress.offset += len(line) + 1
        if self._cut:
            self._cut = False
            return
        data = parse(line)
        if data is not None:
            self.progress.take(data)
        if self.progress.offset > self.published_to:
            self._unsent += self._events(line)
            del self._unsent[:-_UNSENT_KEPT]

    def _events(self, line: bytes) -> list[Event]:
        """With the count of turns so far, for those who look at the last event only."""
        turns = {"turns": self.progress.turns}
        found = parse_line(line, self.progress.offset, datetime.now(UTC))
        return [one.model_copy(update={"data": turns | one.data}) for one in found]

    def _send(self) -> None:
        if not self._unsent:
            return
        try:
            self.publish(self._unsent)
        except CwError:
            return  # again with the next lines; the log has them all
        self.published_to = self.progress.offset
        self._unsent = []


def follow(
    home: Home,
    follower: Follower,
    lost: threading.Event,
    leaving: Leaving,
    ours: Callable[[], bool],
) -> Ending:
    """Until the run is over, or must be. `lost`: the lease. On FENCED the run has been stopped."""
    while True:
        grown = follower.read()
        if launch.read_exit(home):
            follower.finish()
            return Ending.EXITED
        if not launch.alive(home):
            follower.finish()
            if launch.read_exit(home):
                return Ending.EXITED
            end_leftovers(home)  # the next run must not begin beside them
            return Ending.LOST
        if leaving.detach.is_set():
            if not leaving.interrupt.is_set():
                return Ending.DETACHED
            stop_and_wait(home)
            continue
        if lost.is_set():
            if not ours():
                return Ending.TAKEN
            stop_and_wait(home)
            follower.finish()
            return Ending.FENCED
        if not grown:
            leaving.detach.wait(_POLL_SECONDS)


def stop_and_wait(home: Home) -> None:
    """End the run of this HOME, if one is alive."""
    launch.stop(home)
    while launch.alive(home):
        time.sleep(_POLL_SECONDS)
