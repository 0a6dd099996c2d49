"""Settling a run: gather the evidence, do what the agent left undone, decide the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cw.errors import CwError, LostServerError, TooLargeError, UnavailableError, WorkspaceError
from cw.homes.journal import Run
from cw.models import Outcome, Start, TaskSpec
from cw.pulls.answers import answers
from cw.reasons import Reason
from cw.states import OutcomeKind
from workerhost.clones import evidence as seen_by_git
from workerhost.clones.git import Git
from workerhost.clones.host_repositories import occupied
from workerhost.clones.protected_changes import touched
from workerhost.clones.quarantine import Quarantine, quarantined
from workerhost.clones.workspace import GitState, Workspace
from workerhost.settling import pull_requests
from workerhost.settling.breaches import conduct, exposure
from workerhost.settling.created_issues import created_issues
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.kept_work import KeptWork, keep_work
from workerhost.settling.pushed_commits import push_commits, reads_only
from workerhost.settling.repaired import overdone, with_answers
from workerhost.settling.verdict import (
    FINISHED,
    Breach,
    Verdict,
    judge_work,
    with_breaches,
)

if TYPE_CHECKING:
    from cw.forges.pulls import Pull

T = TypeVar("T")

_REPORT_CAP = 8000  # characters of the agent's last words that the record keeps
_BUSY_SECONDS = 120.0  # longer than any view lasts
_TRIES = 3  # with a fork server each


def settle(ended: EndedRun, git: Git) -> Outcome:
    """Raises nothing of git's."""
    for _ in range(_TRIES):
        within = git.within(git.settings.git_seconds)
        outcome = _tried(ended, within)
        if not within.lost or outcome.kind is OutcomeKind.SUCCEEDED:
            return outcome
    return _put_off(ended, LostServerError())


def _tried(ended: EndedRun, within: Git) -> Outcome:
    run = ended.run
    place = Workspace(
        Path(run.clone), ended.task.branch, run.base, run.base_sha, ended.task.repo_url
    )
    try:
        with (
            occupied(within.settings, within.home, _BUSY_SECONDS, within.leave),
            quarantined(within, place) as box,
        ):
            return _settled(ended, box)
    except (WorkspaceError, UnavailableError) as error:
        return _put_off(ended, error)


def _put_off(ended: EndedRun, error: CwError) -> Outcome:
    """Nothing was looked at, and nothing is lost."""
    return Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=Reason.CLONE_BUSY,
        message=ended.redact(error.message),
        branch=ended.task.branch,
        cost_usd=ended.progress.spent_usd,
        cost_estimated=ended.progress.unpriced_usd > 0,
        turns=ended.progress.turns,
        duration_s=ended.run.lasted(ended.now),
        retry_at=ended.now + ended.defer,
    )


@dataclass(slots=True)
class _Judged:
    """What is found out about a run, step by step."""

    state: GitState
    verdict: Verdict
    report: str
    pull: Pull | None = None
    drafted: bool = False
    issues: tuple[str, ...] = ()


def _settled(ended: EndedRun, box: Quarantine) -> Outcome:
    task, redact = ended.task, ended.redact
    guard = cache(lambda head: _sound(box, tuple(map(redact, touched(box, head)))))
    report = _capped(ended, redact(_said(ended).strip()))
    state = _sound(box, seen_by_git.inspect(box, ended.start))
    judged = _Judged(state, ended.process, report)
    exposed = _sound(box, exposure(box, state, redact))
    found = pull_requests.look(ended)
    _prove(ended, box, judged, exposed, found, guard)
    judged.pull = judged.pull or next(iter(found.mine), None)
    also = pull_requests.guarded(found, judged.pull, guard)
    seen = _sound(box, conduct(box, ended, judged.state))
    breaches = [*([exposed] if exposed else []), *_unjudged(task, judged.state), *seen.breaches]
    if judged.verdict.kind is OutcomeKind.SUCCEEDED:
        breaches += _sound(box, overdone(box, ended, judged.state))
    verdict = pull_requests.told(with_breaches(judged.verdict, breaches), found, also)
    beside = pull_requests.beside(judged.state.beside, found)
    verdict = _with_more(verdict, ended.run, ended.start, beside)
    kept = keep_work(ended, box, judged.state, verdict, exposed)
    outcome = _outcome(ended, judged, kept)
    pull = judged.pull
    return outcome.model_copy(
        update={
            "lost": seen.lost,
            "elsewhere": tuple(map(redact, seen.elsewhere)),
            "protected": guard(pull.head) if pull and pull.open else (),
            "also_protected": also,
        }
    )


def _sound(box: Quarantine, found: T) -> T:
    """What was found out, if git could say it: else it is asked again before anything is done for
    it. Raises LostServerError.
    """
    if box.git.lost:
        raise LostServerError
    return found


def _said(ended: EndedRun) -> str:
    """Of a repair its last word, where that has the answers."""
    result = ended.progress.result
    if result is None:
        return ""
    return result.last if ended.run.threads and answers(result.last) else result.report


def _capped(ended: EndedRun, report: str) -> str:
    """The end of a repair's: there the answers are."""
    return report[-_REPORT_CAP:] if ended.task.repair else report[:_REPORT_CAP]


def _prove(
    ended: EndedRun,
    box: Quarantine,
    judged: _Judged,
    exposed: Breach | None,
    found: pull_requests.FoundPulls,
    guard: pull_requests.Guard,
) -> None:
    """Do what the agent left undone, and have git and GitHub decide, if the agent ended well. What
    was committed is where the next run begins, however it ended.
    """
    done = push_commits(
        ended.task, box, judged.state, exposed, ended.redact, kept=_kept_back(ended)
    )
    evidence, judged.state = _sound(box, done)
    if ended.process != FINISHED:
        return
    evidence = with_answers(replace(evidence, report=judged.report), ended.run, judged.report)
    evidence = created_issues(ended, evidence, box.git.home)
    beside = pull_requests.beside(judged.state.beside, found)
    evidence = replace(evidence, beside=beside)
    unread = box.git.settings.pulls_review == "worker" and ended.task.repair is None
    evidence, judged.pull = pull_requests.of_branch(ended, evidence, guard, found, unread=unread)
    evidence = replace(evidence, pull_away=evidence.pull_away or found.away)
    judged.verdict = judge_work(evidence, ended.now, ended.defer)
    judged.issues, judged.drafted = evidence.issues, evidence.drafted


def _kept_back(ended: EndedRun) -> str:
    """A repair is stopped because its pull request is over, or a person's: nothing more is pushed
    there.
    """
    stopped = ended.process.kind is OutcomeKind.STOPPED
    return "its run was stopped" if stopped and ended.task.repair else ""


def _outcome(ended: EndedRun, judged: _Judged, kept: KeptWork) -> Outcome:
    run, state, verdict, pull = ended.run, judged.state, kept.verdict, judged.pull
    return Outcome(
        kind=verdict.kind or OutcomeKind.FAILED,
        reason=verdict.reason,
        message=ended.redact(verdict.message),
        pr=pull.url if pull and (pull.open or pull.merged) else "",
        drafted=judged.drafted and bool(pull and pull.open),
        branch=ended.task.branch if state.head else "",
        head=state.head,
        commits=state.commits,
        pushed=bool(state.head) and state.remote_head == state.head,
        wip=kept.wip,
        kept=kept.commits,
        rescued=run.rescued,
        clone=run.clone if kept.wip or kept.commits or run.rescued else "",
        branches=dict(state.beside),
        issues=judged.issues,
        cost_usd=ended.progress.spent_usd,
        cost_estimated=ended.progress.unpriced_usd > 0,
        turns=ended.progress.turns,
        duration_s=run.lasted(ended.now),
        report=judged.report,
        retry_at=verdict.retry_at,
    )


def _with_more(verdict: Verdict, run: Run, start: Start | None, beside: Sequence[str]) -> Verdict:
    """With what a person has to know of branches and of its clone, however the run ended."""
    more = [*(start.told if start else ()), *run.missing]
    if beside and verdict.reason != Reason.OTHER_BRANCH:
        more.append(f"it also committed on {', '.join(beside)}")
    return replace(verdict, message="; ".join([verdict.message, *more]))


def _unjudged(task: TaskSpec, state: GitState) -> list[Breach]:
    """Of work that is not in the clone nothing is missing."""
    if state.unjudged is None or reads_only(task):
        return []
    large = isinstance(state.unjudged, TooLargeError)
    what = "is too large to be judged" if large else "cannot be judged"
    told = f"what the agent left {what}: {state.unjudged.message}"
    return [Breach(Reason.TOO_LARGE if large else Reason.NOT_JUDGED, told)]
