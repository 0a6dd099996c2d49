"""How a host is told to stop, and what its threads make of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


class HostLeavesError(Exception):
    """Not an outcome of the work, and so no CwError: the host stops before it knows one."""


@dataclass(slots=True)
class Leaving:
    """`on_stop`: detach (runs go on without the host), drain (it waits for them) or interrupt (they
    end with it, are kept, and go on in the same session at its next start).
    """

    on_stop: str = "detach"
    closing: threading.Event = field(default_factory=threading.Event)  # nothing new is taken
    interrupt: threading.Event = field(default_factory=threading.Event)  # set before `detach`
    detach: threading.Event = field(default_factory=threading.Event)  # the host's threads end

    def asked(self) -> None:
        """SIGTERM. A second one interrupts what the first one waits for."""
        again = self.closing.is_set()
        self.closing.set()
        if self.detach.is_set() or (self.on_stop == "drain" and not again):
            return
        if self.on_stop != "detach":
            self.interrupt.set()
        self.detach.set()

    def now(self) -> None:
        """Whatever was configured: leave the runs alone and go."""
        self.closing.set()
        self.detach.set()
