"""A second pair of eyes: the stages of a pull request that is a draft until another worker has read
it, and what may follow what. Pure; nothing else decides a stage.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

from cw.models import MaybeMoment, Model

MOST = 2  # readings that are ordered: one, and another where that came to nothing
PATIENCE = timedelta(days=1)  # for one that nobody begins
_MERGE = re.compile(r"[\W_]*merge\b", re.IGNORECASE)


class Stage(StrEnum):
    WANTED = "wanted"
    READS = "reads"  # it is ordered
    FINDINGS = "findings"  # its author is to see to them
    OVER = "over"  # it is to be marked ready for review
    DONE = "done"  # it was, or is no draft of ours any more


class Step(StrEnum):
    ORDER = "order"
    AGAIN = "again"  # a reading came to nothing
    FIND = "find"
    END = "end"  # nothing is left to be seen to, or nothing more will be
    MARK = "mark"


TRANSITIONS: dict[Step, tuple[frozenset[Stage], Stage]] = {
    Step.ORDER: (frozenset({Stage.WANTED}), Stage.READS),
    Step.AGAIN: (frozenset({Stage.READS}), Stage.WANTED),
    Step.FIND: (frozenset({Stage.READS}), Stage.FINDINGS),
    Step.END: (frozenset({Stage.WANTED, Stage.READS, Stage.FINDINGS}), Stage.OVER),
    Step.MARK: (frozenset({Stage.WANTED, Stage.OVER}), Stage.DONE),
}


class Readings(Model):
    """Of one pull request."""

    stage: Stage = Stage.WANTED
    tasks: tuple[str, ...] = ()  # that were to read it; the last may not be recorded yet
    at: MaybeMoment = None  # when that was ordered
    why: str = ""  # nobody has read it, or what was found is not seen to; for people

    def after(self, step: Step, why: str = "") -> Readings:
        """Where the step leads to; from where it does not begin, nowhere."""
        sources, target = TRANSITIONS[step]
        if self.stage not in sources:
            return self
        return self.model_copy(update={"stage": target, "why": why or self.why})

    def ordered(self, task: str, now: datetime) -> Readings:
        if self.stage not in TRANSITIONS[Step.ORDER][0]:
            return self
        return self.after(Step.ORDER).model_copy(update={"tasks": (*self.tasks, task), "at": now})

    def not_ordered(self) -> Readings:
        """The last could not be recorded: nobody was asked."""
        return self.after(Step.AGAIN).model_copy(update={"tasks": self.tasks[:-1]})

    def failed(self, why: str) -> Readings:
        """The last came to nothing."""
        if len(self.tasks) < MOST:
            return self.after(Step.AGAIN)
        return self.after(Step.END, f"not read by another worker: {why}")

    def further(self, other: Readings | None) -> Readings:
        """Of two accounts of it the one that tells more."""
        order = list(Stage)
        more = other and order.index(other.stage) > order.index(self.stage)
        return other if other and more else self


def without_findings(report: str) -> bool:
    """Its first line says to merge it, as it is."""
    first = next(filter(None, map(str.strip, report.splitlines())), "")
    return bool(_MERGE.match(first))
