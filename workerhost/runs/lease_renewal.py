"""A lease kept alive in the background, and trusted no longer than is certain."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from cw.errors import CwError

_TICK_SECONDS = 0.2


@dataclass(slots=True)
class Lease:
    """Renews itself every `every` seconds while entered. `lost` is set when it is not ours any
    more, or when it could not be renewed until `margin` before its end; all in seconds of this
    machine's monotonic clock, so that no clock change matters.
    """

    renew: Callable[[], bool]
    ttl: float
    every: float
    margin: float
    on_lost: Callable[[], object] = bool  # called once it is lost, perhaps twice; must not wait
    clock: Callable[[], float] = time.monotonic
    lost: threading.Event = field(default_factory=threading.Event)
    _trusted_until: float = 0.0
    _next: float = 0.0
    _closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        now = self.clock()
        self._trusted_until = now + self.ttl - self.margin
        self._next = now + self.every

    def keep(self) -> bool:
        """Renew when it is time. False: stop what the lease was for."""
        now = self.clock()
        if now >= self._next:
            self._next = now + self.every
            try:
                if not self.renew():
                    return False
                # Counted from before the call: the server may have counted from then.
                self._trusted_until = now + self.ttl - self.margin
            except CwError:
                self._next = now + min(self.every, 1.0)
        return self.clock() < self._trusted_until

    def __enter__(self) -> Self:
        for loop in (self._run, self._watch):
            threading.Thread(target=loop, name="lease", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            if not self.keep():
                self._lose()
                return

    def _watch(self) -> None:
        """Beside the renewals: one that hangs must not hold up the end."""
        while not self._closed.wait(_TICK_SECONDS):
            if self.clock() >= self._trusted_until:
                self._lose()
                return

    def _lose(self) -> None:
        self.lost.set()
        self.on_lost()
