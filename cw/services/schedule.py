"""The schedule of several beats lies in Redis, where others may write: only what beat is for is
sent, because what it sends is signed.
"""

from __future__ import annotations

import logging
from typing import Any

from redbeat import RedBeatScheduler

from cw.broker import TICKS
from cw.names import FLEET_QUEUE

log = logging.getLogger("cw.services.schedule")


class FleetScheduler(RedBeatScheduler):  # type: ignore[misc]
    def apply_async(self, entry: Any, **kwargs: Any) -> Any:
        if is_tick(entry.task, entry.args, entry.kwargs, entry.options):
            return super().apply_async(entry, **kwargs)
        log.warning("entry of the schedule refused and removed name=%r", entry.name)
        entry.delete()
        return None


def is_tick(task: str, args: Any, kwargs: Any, options: dict[str, Any]) -> bool:
    """Whether this is one of the fleet's chores, without arguments."""
    plain = set(options) <= {"queue", "expires"} and options.get("queue") == FLEET_QUEUE
    return task in TICKS and not args and not kwargs and plain
