"""Whether the broker's clock has gone on as time does. Leases are on that clock: set forward by an
hour, it ends all of them at once, and nobody has died.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

log = logging.getLogger("workerhost.broker_clock")


@dataclass(slots=True)
class BrokerClock:
    """To be looked at every few seconds. After a jump of more than `jump` seconds it is not
    believed for `ttl` seconds: by then whoever lives has renewed its lease. Thread-safe.
    """

    ask: Callable[[], datetime]
    ttl: float
    jump: float
    clock: Callable[[], float] = time.monotonic
    _seen: tuple[datetime, float] | None = None  # what it said, and when it was asked
    _believed_from: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def believed(self) -> bool:
        """Whether leases that it calls over are. Raises BrokerUnavailableError."""
        asked = self.clock()
        said = self.ask()
        now = self.clock()
        with self._lock:
            if self._seen:
                before, at = self._seen
                ahead = (said - before).total_seconds() - (now - at)  # at least
                if ahead > self.jump:
                    log.warning("the broker's clock jumped %.0f s forward", ahead)
                    self._believed_from = now + self.ttl
            self._seen = said, asked
            return self._believed_from is None or now >= self._believed_from
