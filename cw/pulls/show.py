"""What is kept of a look, and whether a glance is worth one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cw.forges.watched import Glance, Mergeable
from cw.pulls.record import PullRecord, Shown
from cw.pulls.states import PullState
from cw.pulls.verdict import Seen

# In these a glance does not tell all that may have changed: a check, a thread, the base's checks.
_OPEN_QUESTIONS = frozenset(
    {
        PullState.WATCHING,
        PullState.CHECKING,
        PullState.REPAIRING,
        PullState.REVIEWING,
        PullState.NEEDS_YOU,
    }
)
_ANYWAY = timedelta(hours=1)
_PATH_CHARS = 8000
_CONFLICTS = {Mergeable.YES: "no", Mergeable.NO: "yes", Mergeable.UNKNOWN: ""}


def needs_look(record: PullRecord, glance: Glance, now: datetime) -> bool:
    return (
        record.looked_at is None
        or record.state in _OPEN_QUESTIONS
        or glance.mark != record.mark
        or _CONFLICTS[glance.mergeable] != record.shown.conflicts
        or now - record.looked_at >= _ANYWAY
    )


def shown(seen: Seen) -> Shown:
    look, checks = seen.look, seen.checks
    return Shown(
        checks=checks.words,
        lacks=look.unread.lacks if look.unread and checks.hidden.why else (),
        conflicts=_CONFLICTS[look.glance.mergeable],
        review=_review(seen),
        draft=look.draft,
        base=look.base,
        added=look.added,
        removed=look.removed,
        files=look.files,
        paths=_first(look.paths),
    )


def _first(paths: Iterable[str]) -> tuple[str, ...]:
    """As many as a record holds, whatever their lengths."""
    kept = list[str]()
    left = _PATH_CHARS
    for path in paths:
        left -= len(path)
        if left < 0:
            break
        kept.append(path)
    return tuple(kept)


def _review(seen: Seen) -> str:
    if seen.look.changes:
        return "changes"
    if seen.wants.threads or seen.wants.answered:
        return "threads"
    if seen.look.approved:
        return "approved"
    return "wanted" if seen.look.wants_review else ""
