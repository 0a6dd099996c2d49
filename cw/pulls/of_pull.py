"""What each task at a pull request knows of it, whatever it is to do there. Pure."""

from __future__ import annotations

from typing import Any

from cw.forges.watched import Look
from cw.pulls.readings import Readings
from cw.pulls.record import PullRecord


def of_pull(record: PullRecord, look: Look) -> dict[str, Any]:
    """Fields of `cw.models.OfPull`."""
    readings = record.readings or Readings()
    return {
        "number": record.number,
        "url": record.url,
        "branch": look.branch,
        "base": look.base,
        "head": look.glance.head,
        "author": record.task,
        "worker": record.worker,
        "session": record.session,
        "rounds": record.rounds,
        "spent_usd": record.cost_usd,
        "spent_turns": record.turns,
        "spent_s": record.seconds,
        "spent_rough": record.cost_estimated,
        "stage": readings.stage.value if record.readings else "",
        "readers": readings.tasks,
    }
