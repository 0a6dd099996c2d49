"""What becomes of a pull request, from what its forge says of it now. Pure: the table of
docs/pull-requests.md. The verdict belongs to the head that was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cw.forges.watched import Look, Mergeable
from cw.pulls.checks import Checks, judge_checks, judge_hidden, listed
from cw.pulls.record import Cause
from cw.pulls.states import PullState
from cw.pulls.wants import NOTHING, Wants

_QUIET = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One pull request as it is now, and what our records add."""

    look: Look
    head_at: datetime  # when its head was seen first
    moved_at: datetime  # when anything of it changed last
    now: datetime
    hands: tuple[str, ...] = ()  # why it is a person's
    task: str = ""  # of ours, that works on it and is no repair
    repairs: str = ""  # what a repair is at, in words
    reads: str = ""  # what a reading is at, likewise
    halted: str = ""  # what a person has to look at first
    quiet: timedelta = _QUIET  # nothing is judged before it has not moved for so long
    wants: Wants = NOTHING

    @property
    def checks(self) -> Checks:
        look = self.look
        hidden = judge_hidden(look.unread, max(self.moved_at, self.head_at), self.now)
        return judge_checks(look.checks, look.red_on_base, self.head_at, self.now, hidden)


@dataclass(frozen=True, slots=True)
class Verdict:
    state: PullState
    waits: str  # for what, in words
    causes: Mapping[Cause, str] = field(default_factory=dict)  # all, in words; the first counts

    @property
    def cause(self) -> Cause | None:
        return next(iter(self.causes), None)


def judge(seen: Seen) -> Verdict:
    """The first that fits: its end, a person, a task of ours that works on it or reads it, what is
    not settled yet, what keeps it from being merged.
    """
    glance = seen.look.glance
    if not glance.open:
        return Verdict(PullState.MERGED if glance.merged else PullState.CLOSED, "")
    if seen.hands:
        return Verdict(PullState.HANDS_OFF, "; ".join(seen.hands))
    if seen.task:
        return Verdict(PullState.WATCHING, f"task {seen.task} works on it")
    if seen.repairs:
        return Verdict(PullState.REPAIRING, seen.repairs)
    if seen.reads:
        return Verdict(PullState.REVIEWING, seen.reads)
    checks = seen.checks
    if unsettled := _unsettled(seen, checks):
        return Verdict(PullState.CHECKING, unsettled)
    causes = _causes(seen, checks)
    if causes:
        return Verdict(PullState.NEEDS_YOU, "; ".join(causes.values()), causes)
    return Verdict(PullState.READY, _last_step(seen.look))


def _unsettled(seen: Seen, checks: Checks) -> str:
    """What may still change by itself; empty: nothing."""
    if seen.now - max(seen.moved_at, seen.head_at) < seen.quiet:
        return "it changed a moment ago"
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
        Cause.LOOK: "" if look.approved else seen.halted,
        Cause.CONFLICT: f"it conflicts with {look.base}"
        if look.glance.mergeable is Mergeable.NO
        else "",
        Cause.CHECKS: f"red: {listed(checks.red)}" if checks.red else "",
        Cause.ASKS: f"waits to be let run: {listed(checks.asks)}" if checks.asks else "",
        Cause.REVIEW: _review(seen.wants),
        Cause.BASE: f"red on {look.base} as well, so not ours: {listed(checks.red_on_base)}"
        if checks.red_on_base
        else "",
        Cause.STUCK: f"required and pending for over an hour: {listed(checks.stuck_required)}"
        if checks.stuck_required
        else "",
        Cause.UNREAD: checks.hidden.why,
        Cause.ANSWERED: _answered(seen.wants),
    }
    return {cause: words for cause, words in found.items() if words}


def _review(wants: Wants) -> str:
    parts = []
    if wants.changes:
        parts.append(f"{listed(wants.changes)} asks for changes")
    if wants.threads:
        parts.append(f"{_threads(len(wants.threads))} of the review")
    if wants.findings:
        parts.append("findings of a worker that read it")
    return ", ".join(parts)


def _answered(wants: Wants) -> str:
    parts = []
    if wants.again:
        parts.append(f"{listed(wants.again)} asked for changes, and has to look again")
    if wants.answered:
        parts.append(f"{_threads(wants.answered)} with an answer")
    return ", ".join(parts)


def _threads(count: int) -> str:
    return f"{count} open thread{'s' * (count != 1)}"


def _last_step(look: Look) -> str:
    if look.draft:
        return "a draft: look at it and mark it ready for review"
    if look.approved:
        return "approved: merge it"
    return "a review" if look.wants_review else "a look, and the merge"
