"""The outcome of a run from its evidence. Pure: nothing here asks or does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cw.homes.journal import Cut
from cw.reasons import Reason, rule_of
from cw.states import Mode, OutcomeKind
from workerhost.agents.follow import Ending
from workerhost.agents.launch import Exit
from workerhost.programs.progress import Failure, Progress, Result

_REFUSED: dict[str, str] = {
    Reason.AUTHENTICATION_FAILED: "the API does not accept the worker's credentials",
    Reason.BILLING_ERROR: "the account has no credit",
    Reason.MODEL_NOT_FOUND: "the API knows no such model",
    Reason.INVALID_REQUEST: "the API refused the request",
    Reason.API_ERROR: "the API refused",
}
_LIMITS: dict[str, str] = {
    Reason.TIME_LIMIT: "the run took longer than it may",
    Reason.STALLED: "the run wrote nothing for longer than it may",
    Reason.MEMORY: "the run's processes took more memory than they may",
    Reason.LOG_SIZE: "the run wrote more to its log than it may",
}
# What judge_work says when a secret is not pushed, or when work went to the default branch.
_BECAUSE_OF_THEM = frozenset({Reason.NOT_PUSHED, Reason.NO_CHANGES, Reason.OTHER_BRANCH})
_SECOND = timedelta(seconds=1)
_PATHS = 300  # characters of protected paths that the message names
BLOCKED = "BLOCKED:"  # what an agent that needs a person begins its report with (its CLAUDE.md)

# The agent did its part, and what would prove it does not answer, or the host has no room to look.
UNPROVEN = frozenset({Reason.REMOTE_UNAVAILABLE, Reason.GITHUB_UNAVAILABLE, Reason.CLONE_BUSY})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`kind` None: the agent ended well, and git and GitHub decide."""

    kind: OutcomeKind | None
    reason: str
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """Something a run must not do, whatever else it did."""

    reason: str
    message: str


FINISHED = Verdict(None, "finished", "the agent finished")


def ended_well(progress: Progress) -> bool:
    """The agent wrote its last line, and it is no error. What became of its process after that
    does not undo its work, which git and GitHub prove or not.
    """
    return progress.result is not None and progress.result.good


def judge_process(
    ending: Ending,
    ended: Exit | None,
    progress: Progress,
    now: datetime,
    defer: timedelta,
) -> Verdict:
    """What the exit record and the result line say. An exit code proves nothing, and after its last
    word no limit makes a failure of it.
    """
    if progress.result and progress.result.good:
        return _finished(progress.result, progress.turns)
    if ending is Ending.LOST or ended is None:
        return _failed(Reason.LOST, "the run's processes disappeared without a record")
    if ended.cause == "stopped":
        return Verdict(OutcomeKind.STOPPED, Reason.STOPPED, "the run was stopped")
    if ended.cause == "disk_full":
        return _later(Reason.DISK_FULL, "the worker's disk is nearly full", now, defer)
    if ended.cause in _LIMITS:
        return _failed(ended.cause, _LIMITS[ended.cause])
    if progress.failure:
        return _not_served(progress.failure, now, max(defer, progress.retry_after))
    if progress.result is None:
        return _failed(Reason.KILLED, f"the agent ended without a result (exit code {ended.rc})")
    return _failed(progress.result.reason, progress.result.message)


def cut_short(verdict: Verdict, cut: Cut | None, progress: Progress) -> Verdict:
    """Of a run that its host has stopped, or whose program has kept to what it was told: `cut` says
    why. Not of one whose agent was done, or that ended for something else before.
    """
    kept_to_it = progress.result is not None and bool(progress.result.over)
    if cut is None or not (verdict.reason == Reason.STOPPED or kept_to_it):
        return verdict
    return Verdict(rule_of(cut.reason).kind, cut.reason, cut.message)


def _finished(result: Result, turns: int) -> Verdict:
    said = result.last.lstrip()
    if said.startswith(BLOCKED):
        return _failed(Reason.BLOCKED, said.removeprefix(BLOCKED).strip().partition("\n")[0])
    if not turns:
        return _failed(Reason.NOTHING_SENT, "the agent ended at once; the prompt reached no model")
    return FINISHED


def _not_served(failure: Failure, now: datetime, pause: timedelta) -> Verdict:
    """`pause`: before it is tried again, where the failure names no time itself."""
    if failure.reason is Reason.USAGE_LIMIT:
        until = max(failure.until or now + pause, now) + _SECOND
        message = f"usage limit reached; goes on at {until:%Y-%m-%d %H:%M %Z}"
        return Verdict(OutcomeKind.DEFERRED, Reason.USAGE_LIMIT, message, until)
    if failure.reason is Reason.API_UNAVAILABLE:
        said = f"the API did not serve us: {failure.said}"
        return Verdict(OutcomeKind.DEFERRED, failure.reason, said, now + pause)
    why = _REFUSED.get(failure.reason, _REFUSED[Reason.API_ERROR])
    said = f"{why}: {failure.said}"
    if rule_of(failure.reason).kind is OutcomeKind.DEFERRED:  # it goes on when that is mended
        return Verdict(OutcomeKind.DEFERRED, failure.reason, said, now)
    return _failed(failure.reason, said)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What git and GitHub say, after what could be done for the agent was done."""

    commits: int
    landed: int = 0  # commits that the default branch has by now
    beside: Sequence[str] = ()  # other branches with work, in words
    dirty: bool
    head: str
    remote_head: str | None  # None: the remote did not answer
    push_error: str = ""
    push_away: bool = False  # the remote could not take the push now
    wants_pull: bool = False
    pull_head: str = ""  # of the open pull request with this branch; empty when there is none
    pull_error: str = ""
    pull_away: bool = False  # GitHub did not answer
    pull_base: str = ""  # where it goes, when that is wrong, and what to type
    mode: Mode | None = None  # None: an issue
    report: str = ""
    issues: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()  # paths that the pull request changes
    drafted: bool = False  # the pull request is a draft until another worker has read it
    answered: bool = False  # of a review: each thread, and nothing had to be changed
    claimed: str = ""  # threads for which it says that it changed something


def judge_work(evidence: Evidence, now: datetime, defer: timedelta) -> Verdict:
    """Success only on evidence: commits ahead of the base, head pushed, an open PR with it."""
    if evidence.mode in {Mode.READ, Mode.ISSUE}:
        return _words(evidence, now, defer)
    answered = evidence.answered and not (evidence.dirty or evidence.beside)
    if not evidence.commits and not answered:
        return _no_commits(evidence)
    if evidence.remote_head != evidence.head:
        return _not_pushed(evidence, now, defer)
    if not evidence.wants_pull:
        return _good(f"{_count(evidence.commits)} pushed")
    if evidence.pull_away:
        return _later(Reason.GITHUB_UNAVAILABLE, "pushed, but GitHub does not answer", now, defer)
    if not evidence.pull_head:
        why = evidence.pull_error or "there is none"
        return _failed(Reason.NO_PULL_REQUEST, f"pushed, but without an open pull request: {why}")
    if evidence.pull_base:
        return _failed(Reason.WRONG_BASE, f"pushed, but {evidence.pull_base}")
    if evidence.pull_head != evidence.head:
        return _failed(
            Reason.PULL_REQUEST_BEHIND, "the pull request's head is not the branch's head"
        )
    return _good(_delivered(evidence))


def _delivered(evidence: Evidence) -> str:
    message = f"{_count(evidence.commits)} pushed, pull request open"
    if not evidence.commits:
        message = "answered; nothing to push"
    if evidence.protected:
        message += f"; it changes protected paths: {', '.join(evidence.protected)[:_PATHS]}"
    return message


def _not_pushed(evidence: Evidence, now: datetime, defer: timedelta) -> Verdict:
    if evidence.remote_head is None:
        return _later(Reason.REMOTE_UNAVAILABLE, "the remote does not answer", now, defer)
    if evidence.push_away:
        said = f"the remote does not take the push: {evidence.push_error}"
        return _later(Reason.REMOTE_UNAVAILABLE, said[:500], now, defer)
    why = evidence.push_error or "the remote has another head"
    return _failed(Reason.NOT_PUSHED, f"{evidence.commits} commits are not pushed: {why}")


def with_breaches(verdict: Verdict, breaches: Sequence[Breach]) -> Verdict:
    """Good work does not outweigh them; of a run that has failed anyway they are told as well."""
    if not breaches:
        return verdict
    told = "; ".join(breach.message for breach in breaches)
    if verdict.kind is OutcomeKind.SUCCEEDED or verdict.reason in _BECAUSE_OF_THEM:
        return _failed(breaches[0].reason, f"{told} (otherwise: {verdict.message})")
    return replace(verdict, message=f"{told}; {verdict.message}")


def _words(evidence: Evidence, now: datetime, defer: timedelta) -> Verdict:
    """Modes whose work is not in the clone."""
    if evidence.mode is Mode.READ:
        return (
            _good("report recorded") if evidence.report else _failed(Reason.NO_REPORT, "no report")
        )
    if evidence.pull_away:
        return _later(Reason.GITHUB_UNAVAILABLE, "GitHub does not answer", now, defer)
    if evidence.issues:
        return _good(f"{len(evidence.issues)} issue(s) created")
    return _failed(Reason.NO_ISSUES, "the agent finished without creating an issue")


def _no_commits(evidence: Evidence) -> Verdict:
    if evidence.beside:
        return _failed(Reason.OTHER_BRANCH, f"it committed on {', '.join(evidence.beside)} alone")
    if evidence.dirty:
        text = "changes were left uncommitted; they are kept in the clone below refs/cw/wip"
        return _failed(Reason.UNCOMMITTED, text)
    if evidence.mode is Mode.FREE:
        return _good("finished; nothing to push")
    text = "the agent finished without a single commit"
    if evidence.claimed:
        text = f"{text}, and says that it fixed {evidence.claimed}"
    if evidence.push_error:
        text = f"{text}; what it began with is still not pushed: {evidence.push_error}"
    return _failed(Reason.NO_CHANGES, text)


def _count(commits: int) -> str:
    return "1 commit" if commits == 1 else f"{commits} commits"


def _good(message: str) -> Verdict:
    return Verdict(OutcomeKind.SUCCEEDED, Reason.DONE, message)


def _failed(reason: str, message: str) -> Verdict:
    return Verdict(OutcomeKind.FAILED, reason, " ".join(message.split())[:500])


def _later(reason: str, message: str, now: datetime, defer: timedelta) -> Verdict:
    return Verdict(OutcomeKind.DEFERRED, reason, message, now + defer)
