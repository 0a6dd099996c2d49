"""What becomes of a pull request, from what its forge says of it now. Pure: the table of
docs/pull-requests.md. The verdict belongs to the head that was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cw.forges.watched import Look, Mergeable
from cw.pulls.checks import Checks, judge_checks, listed
from cw.pulls.record import Cause
from cw.pulls.states import PullState

QUIET = timedelta(seconds=60)  # nothing is judged while it moves


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One pull request as it is now, and what our records add. `threads`: how many of people who
    are heard are open.
    """

    look: Look
    head_at: datetime  # when its head was seen first
    moved_at: datetime  # when anything of it changed last
    now: datetime
    hands: tuple[str, ...] = ()  # why it is a person's
    task: str = ""  # of ours, that works on it
    threads: int = 0

    @property
    def checks(self) -> Checks:
        look = self.look
        return judge_checks(look.checks, look.red_on_base, self.head_at, self.now)


@dataclass(frozen=True, slots=True)
class Verdict:
    state: PullState
    waits: str  # for what, in words
    cause: Cause | None = None


def judge(seen: Seen) -> Verdict:
    """The first that fits: its end, a person, a task of ours, what is not settled yet, what keeps
    it from being merged.
    """
    glance = seen.look.glance
    if not glance.open:
        return Verdict(PullState.MERGED if glance.merged else PullState.CLOSED, "")
    if seen.hands:
        return Verdict(PullState.HANDS_OFF, "; ".join(seen.hands))
    if seen.task:
        return Verdict(PullState.WATCHING, f"task {seen.task} works on it")
    checks = seen.checks
    if unsettled := _unsettled(seen, checks):
        return Verdict(PullState.CHECKING, unsettled)
    causes = _causes(seen, checks)
    if causes:
        return Verdict(PullState.NEEDS_YOU, "; ".join(causes.values()), next(iter(causes)))
    return Verdict(PullState.READY, _last_step(seen.look))


def _unsettled(seen: Seen, checks: Checks) -> str:
    """What may still change by itself; empty: nothing."""
    if seen.now - max(seen.moved_at, seen.head_at) < QUIET:
        return "it changed less than a minute ago"
    if seen.look.glance.mergeable is Mergeable.UNKNOWN:
        return "GitHub works out whether it can be merged"
    if checks.pending:
        return f"checks run: {listed(checks.pending)}"
    # With a conflict GitHub starts none of those that run on pull requests.
    if checks.awaited and seen.look.glance.mergeable is Mergeable.YES:
        return "no check has begun yet"
    return ""


def _causes(seen: Seen, checks: Checks) -> dict[Cause, str]:
    """All of them, the first to be mended first."""
    look = seen.look
    found = {
        Cause.CONFLICT: f"it conflicts with {look.base}"
        if look.glance.mergeable is Mergeable.NO
        else "",
        Cause.CHECKS: f"red: {listed(checks.red)}" if checks.red else "",
        Cause.ASKS: f"waits to be let run: {listed(checks.asks)}" if checks.asks else "",
        Cause.REVIEW: _review(seen),
        Cause.BASE: f"red on {look.base} as well, so not ours: {listed(checks.red_on_base)}"
        if checks.red_on_base
        else "",
        Cause.STUCK: f"required and pending for over an hour: {listed(checks.stuck_required)}"
        if checks.stuck_required
        else "",
    }
    return {cause: words for cause, words in found.items() if words}


def _review(seen: Seen) -> str:
    parts = []
    if seen.look.changes_by:
        parts.append(f"{listed(seen.look.changes_by)} asks for changes")
    if seen.threads:
        parts.append(f"{seen.threads} open thread{'s' * (seen.threads != 1)} of the review")
    return ", ".join(parts)


def _last_step(look: Look) -> str:
    if look.draft:
        return "a draft: look at it and mark it ready for review"
    if look.approved:
        return "approved: merge it"
    return "a review" if look.wants_review else "a look, and the merge"
