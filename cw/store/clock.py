"""Times as the scripts take them: whole milliseconds."""

from __future__ import annotations

from datetime import datetime


def ms(seconds: float) -> int:
    """What is less than a millisecond is cut off."""
    return int(seconds * 1000)


def epoch_ms(moment: datetime) -> int:
    """`moment`: with a zone; one without is taken for this machine's."""
    return int(moment.timestamp() * 1000)
