"""Settling a run: gather the evidence, do what the agent left undone, decide the outcome."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cw.errors import CwError, TooLargeError, WorkspaceError
from cw.models import Outcome, Start, TaskSpec
from cw.states import Mode, OutcomeKind
from workerhost.agents.events import Progress
from workerhost.clones import evidence as seen_by_git
from workerhost.clones import workspace
from workerhost.clones.evidence import Pushed
from workerhost.clones.git import Git
from workerhost.clones.lfs import upload
from workerhost.clones.places import BusyError, occupied
from workerhost.clones.protected import touched
from workerhost.clones.quarantine import Quarantine, quarantined
from workerhost.clones.setaside import set_aside
from workerhost.clones.undelivered import delivered, keep_for_next
from workerhost.clones.workspace import GitState, Workspace
from workerhost.homes.journal import Run
from workerhost.redaction.redact import Redactor
from workerhost.settling import pulls
from workerhost.settling.breaches import conduct, exposure
from workerhost.settling.created import created_issues
from workerhost.settling.verdict import (
    CLONE_BUSY,
    FINISHED,
    OTHER_BRANCH,
    UNPROVEN,
    Breach,
    Evidence,
    Verdict,
    judge_work,
    with_breaches,
)

if TYPE_CHECKING:
    from cw.github.client import GitHub, Pull

_REPORT_CAP = 8000  # characters of the agent's last words that the record keeps
_BUSY_SECONDS = 120.0  # longer than any view lasts
_READS = {Mode.READ, Mode.ISSUE}


def settle(  # noqa: PLR0913  evidence, and who judges it
    task: TaskSpec,
    run: Run,
    git: Git,
    github: GitHub | None,
    process: Verdict,
    progress: Progress,
    *,
    now: datetime,
    defer: timedelta,
    redact: Redactor,
    start: Start | None = None,
    theirs: pulls.Theirs = pulls.nobodys,
    ours: Collection[str] = (),
) -> Outcome:
    """`process` is what the exit record and the result line said. `start`: where the task's first
    run began; `ours`: heads that earlier ones left. Raises nothing of git's.
    """
    place = Workspace(Path(run.clone), task.branch, run.base, run.base_sha, task.repo_url)
    within = git.within(git.settings.git_seconds)
    try:
        with (
            occupied(git.settings, git.home, _BUSY_SECONDS, git.leave),
            quarantined(within, place) as box,
        ):
            return _settled(
                task,
                run,
                box,
                github,
                process,
                progress,
                now=now,
                defer=defer,
                redact=redact,
                start=start,
                theirs=theirs,
                ours=ours,
            )
    except (WorkspaceError, BusyError) as error:
        return _put_off(task, run, progress, error, redact, now=now, defer=defer)


def _put_off(
    task: TaskSpec,
    run: Run,
    progress: Progress,
    error: CwError,
    redact: Redactor,
    *,
    now: datetime,
    defer: timedelta,
) -> Outcome:
    """Nothing was looked at, and nothing is lost."""
    return Outcome(
        kind=OutcomeKind.DEFERRED,
        reason=CLONE_BUSY,
        message=redact(error.message),
        branch=task.branch,
        cost_usd=progress.cost_usd,
        turns=progress.turns,
        duration_s=run.lasted(now),
        retry_at=now + defer,
    )


def _settled(  # noqa: PLR0913  the same
    task: TaskSpec,
    run: Run,
    box: Quarantine,
    github: GitHub | None,
    process: Verdict,
    progress: Progress,
    *,
    now: datetime,
    defer: timedelta,
    redact: Redactor,
    start: Start | None,
    theirs: pulls.Theirs,
    ours: Collection[str],
) -> Outcome:
    report = redact(str((progress.result or {}).get("result") or "").strip())[:_REPORT_CAP]
    git = box.git
    state = seen_by_git.inspect(box, start)
    guard = cache(lambda head: tuple(map(redact, touched(box, head))))
    pull: Pull | None = None
    issues: tuple[str, ...] = ()
    verdict = process
    exposed = exposure(box, state, redact)
    found = pulls.look(task, run, github, theirs)
    if process == FINISHED:
        evidence, state = _deliver(task, box, state, exposed, redact)
        evidence = replace(evidence, report=report)
        evidence = created_issues(task, run, github, evidence, git.home)
        evidence = replace(evidence, beside=pulls.beside(state.beside, found))
        evidence, pull = pulls.of_branch(task, run, github, evidence, report, guard, found)
        evidence = replace(evidence, pull_away=evidence.pull_away or found.away)
        verdict, issues = judge_work(evidence, now, defer), evidence.issues
    else:  # however it ended: what was committed is where the next run begins
        _, state = _deliver(task, box, state, exposed, redact)
    pull = pull or next(iter(found.mine), None)
    also = pulls.guarded(found, pull, guard)
    seen = conduct(box, task, run, github, start, state, ours)
    verdict = with_breaches(
        verdict, [*([exposed] if exposed else []), *_unjudged(task, state), *seen.breaches]
    )
    verdict = pulls.told(verdict, found, also)
    verdict = _with_more(verdict, run, start, pulls.beside(state.beside, found))
    wip = kept = ""
    if verdict.kind is not OutcomeKind.SUCCEEDED:
        wip = _keep(box, task) if state.dirty else ""
        kept = _keep_commits(box, state)
    if state.head and state.remote_head == state.head:
        delivered(box, task, state.head)
    next_too = bool(kept) and not exposed and keep_for_next(box, task, state.head)
    if kept and verdict.reason not in UNPROVEN:
        verdict = replace(verdict, message=_with_kept(verdict, run, kept, next_too=next_too))
    if state.unjudged and verdict.reason not in UNPROVEN:
        verdict = _set_aside(box, task, verdict)
    return Outcome(
        kind=verdict.kind or OutcomeKind.FAILED,
        reason=verdict.reason,
        message=redact(verdict.message),
        pr=pull.url if pull and (pull.open or pull.merged) else "",
        branch=task.branch if state.head else "",
        head=state.head,
        commits=state.commits,
        pushed=bool(state.head) and state.remote_head == state.head,
        wip=wip,
        kept=kept,
        rescued=run.rescued,
        clone=run.clone if wip or kept or run.rescued else "",
        branches=dict(state.beside),
        lost=seen.lost,
        issues=issues,
        elsewhere=tuple(map(redact, seen.elsewhere)),
        protected=guard(pull.head) if pull and pull.open else (),
        also_protected=also,
        cost_usd=progress.cost_usd,
        turns=progress.turns,
        duration_s=run.lasted(now),
        report=report,
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
            searched = exposed.reason != "not_searched"
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
    if beside and verdict.reason != OTHER_BRANCH:
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
    return [Breach("too_large" if large else "not_judged", told)]


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
