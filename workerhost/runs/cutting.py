"""Whether its host ends a run, and why: for what it takes, or as it goes round in circles."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field

from cw.homes import journal
from cw.homes.journal import Cut, Journal
from cw.reasons import Reason
from workerhost.agents.follow import Follower
from workerhost.programs.loops import Loop
from workerhost.runs.meter import Meter
from workerhost.runs.run_context import Holding

log = logging.getLogger("workerhost.cutting")

_ON = "In its session it goes on with: cw restart; anew with: cw restart --fresh"


@dataclass(slots=True)
class Cutting:
    """Of one run."""

    held: Holding
    book: Journal
    follower: Follower
    meter: Meter
    cut: Cut | None = field(init=False)

    def __post_init__(self) -> None:
        self.cut = self.book.run.cut

    def due(self) -> bool:
        """To be asked again and again, at little cost. Why is written down before the run is ended:
        its next host has to know it as well.
        """
        if self.cut is None:
            self.cut = self._found()
            if self.cut:
                self._tell(self.cut)
        return self.cut is not None

    def ended_for(self) -> Cut | None:
        """Also what its program has ended for by itself."""
        return self.cut or self.meter.met(self.follower.progress)

    def _found(self) -> Cut | None:
        loop = self.follower.loop
        if loop:
            return Cut(reason=Reason.LOOPING, message=self._circles(loop))
        return self.meter.look(self.follower.progress)

    def _circles(self, loop: Loop) -> str:
        return f"the agent went round in circles: {loop.describe(self.held.redact)}. {_ON}"

    def _tell(self, cut: Cut) -> None:
        log.warning("run is ended task=%s reason=%s", self.held.task_id, cut.reason)
        run = self.book.run.model_copy(update={"cut": cut})
        with suppress(OSError):  # no room: it is ended all the same
            journal.write(self.held.home, self.book.model_copy(update={"run": run}))
        self.follower.note(f"is stopped: {cut.message}")
