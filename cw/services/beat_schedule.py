"""When beat sends what. With a shared broker the schedule lies in Redis, where others may write:
only what beat is for is sent, because what it sends is signed.

Both schedulers go by the wall clock, and note when they sent an entry last. A note from the future
is of a clock that was set back since, or of another machine's: nothing would be sent until then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from celery.beat import PersistentScheduler
from redbeat import RedBeatScheduler

from cw.broker.app import TICKS
from cw.names import FLEET_QUEUE

log = logging.getLogger("cw.services.beat_schedule")


class OwnScheduler(PersistentScheduler):  # type: ignore[misc]
    """Of a private broker's only beat."""

    lock_key = None  # redbeat (2.4.2) asks every scheduler for its lock, once it is imported

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        for entry in from_the_future(self.schedule.values()):
            entry.last_run_at = entry.default_now()
            self._heap = None  # made anew: it has moments of that clock as well
        return super().tick(*args, **kwargs)


class FleetScheduler(RedBeatScheduler):  # type: ignore[misc]
    def tick(self, *args: Any, **kwargs: Any) -> Any:
        for entry in from_the_future(self._own()):
            entry.reschedule(entry.default_now())
        return super().tick(*args, **kwargs)

    def apply_async(self, entry: Any, **kwargs: Any) -> Any:
        if is_tick(entry.task, entry.args, entry.kwargs, entry.options):
            return super().apply_async(entry, **kwargs)
        log.warning("entry of the schedule refused and removed name=%r", entry.name)
        entry.delete()
        return None

    def _own(self) -> Iterable[Any]:
        for name in self.app.redbeat_conf.schedule:
            key = self.Entry.generate_key(self.app, name)
            try:
                yield self.Entry.from_key(key, app=self.app)
            except KeyError:  # the broker has forgotten it
                continue


def from_the_future(entries: Iterable[Any]) -> list[Any]:
    """Those that were sent last at a moment that has not come yet."""
    found = [
        entry for entry in entries if entry.last_run_at and entry.last_run_at > entry.default_now()
    ]
    for entry in found:
        log.warning("the clock was set back; sent in its interval from now: %s", entry.name)
    return found


def is_tick(task: str, args: Any, kwargs: Any, options: dict[str, Any]) -> bool:
    """Whether this is one of the fleet's chores, without arguments."""
    plain = set(options) <= {"queue", "expires"} and options.get("queue") == FLEET_QUEUE
    return task in TICKS and not args and not kwargs and plain
