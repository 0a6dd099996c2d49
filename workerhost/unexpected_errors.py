"""What went wrong in a host that nobody foresaw: counted, with its place, and left alone for longer
each time, so that it harms only what it is about.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cw.errors import BrokerUnavailableError

log = logging.getLogger("workerhost.unexpected_errors")

_ROOT = Path(__file__).parents[1]
_OURS = ("cw", "workerhost")
_FIRST_SECONDS = 5.0
_LONGEST_SECONDS = 300.0
_SHOWN_SECONDS = 3600.0  # after the last time
_MOST = 20  # that others are told of


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """`about`: the worker, task or host it harms. `first_at`, `last_at`: epoch seconds."""

    loop: str
    about: str
    error: str  # its type
    place: str  # file:line
    times: int
    first_at: float
    last_at: float

    def words(self) -> str:
        about = f" of {self.about}" if self.about else ""
        return f"{self.error} at {self.place} in {self.loop}{about}, {self.times} times"


class Troubles:
    """Of one host process. Safe to share between threads."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str, str], Trouble] = {}
        self._again: dict[tuple[str, str], tuple[int, float]] = {}  # in a row, not before

    @contextmanager
    def watch(self, loop: str, about: str = "") -> Iterator[None]:
        """What is raised inside ends here, but for a broker that is away."""
        try:
            yield
        except BrokerUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  one of the outermost loops
            self.count(loop, error, about)
        else:
            with self._lock:
                self._again.pop((loop, about), None)

    def run(self, loop: str, what: Callable[[], object], about: str = "") -> None:
        """Now, unless it failed lately. Raises BrokerUnavailableError."""
        if not self.waits(loop, about):
            with self.watch(loop, about):
                what()

    def count(self, loop: str, error: Exception, about: str = "") -> Trouble:
        """The traceback is logged once; from then on it is a number."""
        place = place_of(error)
        kind = type(error).__name__
        key, now = (loop, about, kind, place), self._clock()
        with self._lock:
            known = self._seen.get(key)
            made = Trouble(
                loop=loop,
                about=about,
                error=kind,
                place=place,
                times=known.times + 1 if known else 1,
                first_at=known.first_at if known else now,
                last_at=now,
            )
            self._seen[key] = made
            times = self._again.get((loop, about), (0, 0.0))[0] + 1
            wait = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(times - 1, 30))
            self._again[loop, about] = (times, self._steady() + wait)
        if known is None:
            log.error("unforeseen: %s", made.words(), exc_info=error)
        return made

    def waits(self, loop: str, about: str = "") -> bool:
        """Whether it is to be left alone for a while."""
        with self._lock:
            _, again_at = self._again.get((loop, about), (0, 0.0))
        return self._steady() < again_at

    def tries(self, loop: str, about: str = "") -> int:
        """How often it failed in a row."""
        with self._lock:
            return self._again.get((loop, about), (0, 0.0))[0]

    def last(self, loop: str, about: str = "") -> str:
        """The newest, in words."""
        with self._lock:
            found = [
                trouble
                for trouble in self._seen.values()
                if (trouble.loop, trouble.about) == (loop, about)
            ]
        newest = max(found, key=lambda trouble: trouble.last_at, default=None)
        return f"{newest.error} at {newest.place}" if newest else ""

    def told(self) -> str:
        """JSON for the host's record: those of the last hour, the newest first."""
        with self._lock:
            since = self._clock() - _SHOWN_SECONDS
            self._seen = {
                key: trouble for key, trouble in self._seen.items() if trouble.last_at > since
            }
            newest = sorted(self._seen.values(), key=lambda trouble: -trouble.last_at)[:_MOST]
        return json.dumps([asdict(trouble) for trouble in newest]) if newest else ""


def place_of(error: BaseException) -> str:
    """`file:line`, of our own code when it is on the way."""
    every = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in every if frame.filename != __file__]
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _OURS:
            return f"{path.relative_to(_ROOT)}:{frame.lineno}"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
