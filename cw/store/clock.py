"""Times as the scripts take them: whole milliseconds."""

from __future__ import annotations

from datetime import datetime


def ms(seconds: float) -> int:
    return int(seconds * 1000)


def epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
