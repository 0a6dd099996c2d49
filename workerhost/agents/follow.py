"""Following a run: read its log as it grows, feed the store's stream, keep the lease."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from cw.errors import CwError
from cw.homes.files import open_regular
from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.models import Event
from cw.transcript.loglines import LINE_BYTES
from workerhost.agents import launch
from workerhost.agents.leftovers import end_leftovers
from workerhost.agents.unsent_events import Unsent
from workerhost.programs.loops import Loop, Loops
from workerhost.programs.progress import Progress, Reading, Taken, Word
from workerhost.shutdown import Leaving

_POLL_SECONDS = 0.2
_CHUNK = 1 << 18
_HEARD = 500  # lines of a chunk, the last ones: more are no words of an agent's
WAITS = "finished, waits for its background work"
_WAITS_SECONDS = 1.0  # most end at once


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
    reading: Reading
    publish: Callable[[list[Event]], None]
    published_to: int = 0  # bytes of the log whose events the stream has
    loops: Loops = field(default_factory=Loops)
    loop: Loop | None = None  # that the agent was in where the log ended; what its run ends for
    offset: int = 0  # bytes of the log that were read
    _rest: bytes = b""
    _long: bool = False  # the line of the moment is too long to be kept
    _ended_at: float | None = None  # monotonic: when the last word came, while that is news
    _unsent: Unsent = field(default_factory=Unsent)

    @property
    def progress(self) -> Progress:
        return self.reading.progress

    def read(self) -> bool:
        """Take what the log has grown by. False when it had not."""
        start = self.offset + len(self._rest)
        try:
            with open_regular(self.home.log) as file:
                file.seek(start)
                data = file.read(_CHUNK)
        except OSError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for left, line in enumerate(lines, -len(lines)):
            self._take(line, heard=left >= -_HEARD)
        if len(self._rest) > LINE_BYTES:
            self._long = True
            self.reading.part(self._rest)
            self.offset += len(self._rest)
            self._rest = b""
        if len(data) < _CHUNK:  # what it came out of while no host was there is over
            self.loop = self.loop or self.loops.found
        self._send()
        return bool(data)

    def finish(self) -> None:
        """Read to the end, and a last line that was cut off."""
        while self.read():
            pass
        if self._rest.strip() or self._long:
            self._take(self._rest)
            self._rest = b""
        self._send()

    def _take(self, line: bytes, *, heard: bool = True) -> None:
        self.offset += len(line) + 1
        self._long = False
        taken = self.reading.take(line)
        for act in taken.acts():
            self.loops.hear(act)
        if taken.word is Word.LAST:
            self._ended_at = time.monotonic()
            if self.progress.result and self.progress.result.good:
                self.loops.over()
        elif taken.word is Word.WORK:  # what it had left running may wake an agent up again
            self._ended_at = None
        if heard and self.offset > self.published_to:
            self._add(self._events(taken), len(line))

    def _add(self, events: list[Event], line: int) -> None:
        if events:
            self._unsent.add(events, line)

    def _events(self, taken: Taken) -> list[Event]:
        """With the count of turns so far, for those who look at the last event only."""
        turns = {"turns": self.progress.turns, **_cost(self.progress)}
        found = taken.events(self.offset, datetime.now(UTC))
        return [event.model_copy(update={"data": turns | event.data}) for event in found]

    def say_that_it_waits(self) -> None:
        """Once, when the agent has said its last word and its processes are still there."""
        if self._ended_at is None or time.monotonic() - self._ended_at < _WAITS_SECONDS:
            return
        self._ended_at = None
        self.note(WAITS)

    def note(self, text: str) -> None:
        """In the task's events, from the host."""
        data = {"turns": self.progress.turns, **_cost(self.progress)}
        now = datetime.now(UTC)
        note = Event(at=now, kind="note", text=text, offset=self.offset, data=data)
        self._add([note], 0)
        self._send()

    def _send(self) -> None:
        events = self._unsent.events()
        if not events:
            return
        try:
            self.publish(events)
        except CwError:
            return  # again with the next lines; the log has them all
        self.published_to = self.offset
        self._unsent.clear()


def _cost(progress: Progress) -> dict[str, object]:
    """So far, and whether a part of it is estimated; nothing while nothing is known."""
    if not progress.spent_usd:
        return {}
    return {"spent_usd": round(progress.spent_usd, 6), "estimated": progress.unpriced_usd > 0}


def follow(
    home: Home,
    follower: Follower,
    lost: threading.Event,
    leaving: Leaving,
    ours: Callable[[], bool],
    over: Callable[[], bool] = lambda: False,
) -> Ending:
    """Until the run is over, or must be. `lost`: the lease. On FENCED the run has been stopped.
    `over`: whether it may take no more: it is stopped, and has ended as any other.
    """
    while True:
        grown = follower.read()
        if launch.read_exit(home):
            follower.finish()
            return Ending.EXITED
        if not shim_lives(home):
            return _gone(home, follower)
        if leaving.detach.is_set():
            if not leaving.interrupt.is_set():
                return Ending.DETACHED
            stop_and_wait(home)
            continue
        if lost.is_set():
            return _fenced(home, follower) if ours() else Ending.TAKEN
        if over():
            stop_and_wait(home)
        elif not grown:
            follower.say_that_it_waits()
            leaving.detach.wait(_POLL_SECONDS)


def _fenced(home: Home, follower: Follower) -> Ending:
    stop_and_wait(home)
    follower.finish()
    return Ending.FENCED


def _gone(home: Home, follower: Follower) -> Ending:
    follower.finish()
    if launch.read_exit(home):
        return Ending.EXITED
    end_leftovers(home)  # the next run must not begin beside them
    return Ending.LOST


def stop_and_wait(home: Home) -> None:
    """End the run of this HOME, if one is alive."""
    launch.stop(home)
    while shim_lives(home):
        time.sleep(_POLL_SECONDS)
