"""Whose turn a conflict is, so that of pull requests on one file each is mended but once. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cw.pulls.record import Cause, PullRecord
from cw.pulls.states import PullState

# In these an older one goes on, and its merge would make another conflict.
GOES_ON = frozenset(
    {
        PullState.WATCHING,
        PullState.CHECKING,
        PullState.REPAIRING,
        PullState.REVIEWING,
        PullState.READY,
    }
)


def first_in_line(record: PullRecord, others: Iterable[PullRecord]) -> PullRecord | None:
    """Which of the open ones comes before it; None: it is its turn. One conflict of a repository is
    mended at a time, and of those that change one file the oldest first, until it is merged.
    """
    beside = [
        other for other in others if other.key[0] == record.key[0] and other.key != record.key
    ]
    under_way = (other for other in beside if other.repair and other.repair.cause is Cause.CONFLICT)
    older = (
        other
        for other in sorted(beside, key=lambda other: other.number)
        if other.number < record.number and other.state in GOES_ON and _share(record, other)
    )
    return next(under_way, None) or next(older, None)


def _share(record: PullRecord, other: PullRecord) -> bool:
    """Whether they change one file of one base, as far as that is known: else they may."""
    mine, theirs = record.shown, other.shown
    if mine.base and theirs.base and mine.base != theirs.base:
        return False
    if len(mine.paths) < mine.files or len(theirs.paths) < theirs.files or not theirs.base:
        return True
    return bool(set(mine.paths) & set(theirs.paths))
