"""Settling a run: gather the evidence, do what the agent left undone, decide the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cw.errors import CwError, TooLargeError, WorkspaceError
from cw.homes.journal import Run
from cw.models import Outcome, Start, TaskSpec
from cw.reasons import Reason
from cw.redaction.redact import Redactor
from cw.states import Mode, OutcomeKind
from workerhost.clones import evidence as seen_by_git
from workerhost.clones import workspace
from workerhost.clones.evidence import Pushed
from workerhost.clones.git import Git
from workerhost.clones.host_repositories import BusyError, occupied
from workerhost.clones.lfs import upload
from workerhost.clones.protected_changes import touched
from workerhost.clones.quarantine import Quarantine, quarantined
from workerhost.clones.setaside import set_aside
from workerhost.clones.undelivered import delivered, keep_for_next
from workerhost.clones.workspace import GitState, Workspace
from workerhost.settling import pull_requests
from workerhost.settling.breaches import conduct, exposure
from workerhost.settling.created_issues import created_issues
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.verdict import (
    FINISHED,
    UNPROVEN,
    Breach,
    Evidence,
    Verdict,
    judge_work,
    with_breaches,
)

if TYPE_CHECKING:
    from cw.github.pulls import Pull

_REPORT_CAP = 8000  # characters of the agent's last words that the record keeps
_BUSY_SECONDS = 120.0  # longer than any view lasts
_READS = {Mode.READ, Mode.ISSUE}


def settle(ended: EndedRun, git: Git) -> Outcome:
    """Raises nothing of git's."""
    run = ended.run
    place = Workspace(
        Path(run.clone), ended.task.branch, run.base, run.base_sha, ended.task.repo_url
    )
    within = git.within(git.settings.git_seconds)
    try:
        with (
            occupied(git.settings, git.home, _BUSY_SECONDS, git.leave),
            quarantined(within, place) as box,
        ):
            return _settled(ended, box)
    except (WorkspaceError, BusyError) as error:
        return _put_off(ended, error)


def _put_off(ended: EndedRun, error: CwError) -> Outcome:
    """Nothing was looked at, and nothing is lost."""
    return Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=Reason.CLONE_BUSY,
        message=ended.redact(error.message),
        branch=ended.task.branch,
        cost_usd=ended.progress.cost_usd,
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
    issues: tuple[str, ...] = ()
    wip: str = ""
    kept: str = ""


def _settled(ended: EndedRun, box: Quarantine) -> Outcome:
    task, redact = ended.task, ended.redact
    guard = cache(lambda head: tuple(map(redact, touched(box, head))))
    report = redact(_said(ended).strip())[:_REPORT_CAP]
    judged = _Judged(seen_by_git.inspect(box, ended.start), ended.process, report)
    exposed = exposure(box, judged.state, redact)
    found = pull_requests.look(ended)
    _prove(ended, box, judged, exposed, found, guard)
    judged.pull = judged.pull or next(iter(found.mine), None)
    also = pull_requests.guarded(found, judged.pull, guard)
    seen = conduct(box, ended, judged.state)
    breaches = [*([exposed] if exposed else []), *_unjudged(task, judged.state), *seen.breaches]
    verdict = pull_requests.told(with_breaches(judged.verdict, breaches), found, also)
    beside = pull_requests.beside(judged.state.beside, found)
    judged.verdict = _with_more(verdict, ended.run, ended.start, beside)
    _put_away(ended, box, judged, exposed)
    outcome = _outcome(ended, judged)
    pull = judged.pull
    return outcome.model_copy(
        update={
            "lost": seen.lost,
            "elsewhere": tuple(map(redact, seen.elsewhere)),
            "protected": guard(pull.head) if pull and pull.open else (),
            "also_protected": also,
        }
    )


def _said(ended: EndedRun) -> str:
    return ended.progress.result.report if ended.progress.result else ""


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
    evidence, judged.state = _deliver(ended.task, box, judged.state, exposed, ended.redact)
    if ended.process != FINISHED:
        return
    evidence = replace(evidence, report=judged.report)
    evidence = created_issues(ended, evidence, box.git.home)
    beside = pull_requests.beside(judged.state.beside, found)
    evidence = replace(evidence, beside=beside)
    evidence, judged.pull = pull_requests.of_branch(ended, evidence, guard, found)
    evidence = replace(evidence, pull_away=evidence.pull_away or found.away)
    judged.verdict = judge_work(evidence, ended.now, ended.defer)
    judged.issues = evidence.issues


def _put_away(ended: EndedRun, box: Quarantine, judged: _Judged, exposed: Breach | None) -> None:
    """What the remote does not have is kept where the next run, or a person, finds it."""
    task, state, verdict = ended.task, judged.state, judged.verdict
    if verdict.kind is not OutcomeKind.SUCCEEDED:
        judged.wip = _keep(box, task) if state.dirty else ""
        judged.kept = _keep_commits(box, state)
    if state.head and state.remote_head == state.head:
        delivered(box, task, state.head)
    next_too = bool(judged.kept) and not exposed and keep_for_next(box, task, state.head)
    if judged.kept and verdict.reason not in UNPROVEN:
        told = _with_kept(verdict, ended.run, judged.kept, next_too=next_too)
        verdict = replace(verdict, message=told)
    if state.unjudged and verdict.reason not in UNPROVEN:
        verdict = _set_aside(box, task, verdict)
    judged.verdict = verdict


def _outcome(ended: EndedRun, judged: _Judged) -> Outcome:
    run, state, verdict, pull = ended.run, judged.state, judged.verdict, judged.pull
    return Outcome(
        kind=verdict.kind or OutcomeKind.FAILED,
        reason=verdict.reason,
        message=ended.redact(verdict.message),
        pr=pull.url if pull and (pull.open or pull.merged) else "",
        branch=ended.task.branch if state.head else "",
        head=state.head,
        commits=state.commits,
        pushed=bool(state.head) and state.remote_head == state.head,
        wip=judged.wip,
        kept=judged.kept,
        rescued=run.rescued,
        clone=run.clone if judged.wip or judged.kept or run.rescued else "",
        branches=dict(state.beside),
        issues=judged.issues,
        cost_usd=ended.progress.cost_usd,
        turns=ended.progress.turns,
        duration_s=run.lasted(ended.now),
        report=judged.report,
        retry_at=verdict.retry_at,
    )


def _deliver(
    task: TaskSpec, box: Quarantine, state: GitState, exposed: Breach | None, redact: Redactor
) -> tuple[Evidence, GitState]:
    """Push what is committed and not pushed, when that loses nothing at the remote."""
    pushed = Pushed()
    files = upload(box, state.head, redact.knows) if _has_work(task, state, exposed) else ""
    if state.pending and state.remote_head not in {None, state.head} and not _reads_only(task):
        if exposed:
            searched = exposed.reason != Reason.NOT_SEARCHED
            pushed = Pushed("there is a secret in them" if searched else exposed.message)
        elif files:
            pushed = Pushed(files)
        elif seen_by_git.fast_forward(box, state):
            pushed = seen_by_git.push(box, box.place, state)
        else:
            pushed = Pushed("the remote's branch has commits that are not here")
        state = seen_by_git.ask_again(box, state)
    evidence = Evidence(
        commits=state.commits,
        landed=state.landed,
        dirty=state.dirty,
        head=state.head,
        remote_head=state.remote_head,
        push_error=pushed.error,
        push_away=pushed.away,
        wants_pull=task.github and task.issue is not None and not exposed,
        mode=task.mode if task.issue is None else None,
    )
    return evidence, state


def _has_work(task: TaskSpec, state: GitState, exposed: Breach | None) -> bool:
    return state.pending and exposed is None and not _reads_only(task)


def _with_kept(verdict: Verdict, run: Run, kept: str, *, next_too: bool) -> str:
    there = f"its commits are kept on {kept} in the clone of worker {run.worker}, host {run.host}"
    more = ", and the next run of its issue on that host begins with them" if next_too else ""
    return f"{verdict.message}; {there}{more}"


def _with_more(verdict: Verdict, run: Run, start: Start | None, beside: Sequence[str]) -> Verdict:
    """With what a person has to know of branches and of its clone, however the run ended."""
    more = [*(start.told if start else ()), *run.missing]
    if beside and verdict.reason != Reason.OTHER_BRANCH:
        more.append(f"it also committed on {', '.join(beside)}")
    return replace(verdict, message="; ".join([verdict.message, *more]))


def _reads_only(task: TaskSpec) -> bool:
    return task.issue is None and task.mode in _READS


def _unjudged(task: TaskSpec, state: GitState) -> list[Breach]:
    """Of work that is not in the clone nothing is missing."""
    if state.unjudged is None or _reads_only(task):
        return []
    large = isinstance(state.unjudged, TooLargeError)
    what = "is too large to be judged" if large else "cannot be judged"
    told = f"what the agent left {what}: {state.unjudged.message}"
    return [Breach(Reason.TOO_LARGE if large else Reason.NOT_JUDGED, told)]


def _set_aside(box: Quarantine, task: TaskSpec, verdict: Verdict) -> Verdict:
    kept = set_aside(box.git.home, box.place.clone, task.id.lower())
    said = f"its clone is kept as it is in {kept}" if kept else "its clone could not be moved away"
    return replace(verdict, message=f"{verdict.message}; {said}")


def _keep(box: Quarantine, task: TaskSpec) -> str:
    """Uncommitted work survives as a commit on a ref; the clone will be used again."""
    try:
        return workspace.save_work(box.git, box.place.clone, task.id.lower())
    except (CwError, OSError):
        return ""  # the tree stays as it is; the next run keeps it again before it cleans


def _keep_commits(box: Quarantine, state: GitState) -> str:
    """What the remote does not take must not hang on a branch that the next task begins anew."""
    if not state.pending or state.remote_head == state.head:
        return ""
    try:
        return workspace.keep_commits(box.git, box.place, state.head)
    except (CwError, OSError):
        return ""
