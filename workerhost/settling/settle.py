"""Settling a run: gather the evidence, do what the agent left undone, decide the outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cw.errors import CwError
from cw.models import Outcome, TaskSpec
from cw.states import Mode, OutcomeKind
from workerhost.agents.events import Progress
from workerhost.clones import remote, workspace
from workerhost.clones.git import Git
from workerhost.clones.protected import touched
from workerhost.clones.remote import Pushed
from workerhost.clones.workspace import GitState, Workspace
from workerhost.homes.journal import Run
from workerhost.redaction.redact import Redactor
from workerhost.settling import pulls
from workerhost.settling.breaches import conduct, exposure
from workerhost.settling.created import created_issues
from workerhost.settling.verdict import (
    FINISHED,
    Breach,
    Evidence,
    Verdict,
    judge_work,
    with_breaches,
)

if TYPE_CHECKING:
    from cw.github.client import GitHub, Pull

_REPORT_CAP = 8000  # characters of the agent's last words that the record keeps


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
    theirs: pulls.Theirs = pulls.nobodys,
) -> Outcome:
    """`process` is what the exit record and the result line said. Raises nothing of git's."""
    report = redact(str((progress.result or {}).get("result") or "").strip())[:_REPORT_CAP]
    place = Workspace(Path(run.clone), task.branch, run.base, run.base_sha, task.repo_url)
    state = remote.inspect(git, place)
    guard = cache(lambda head: tuple(map(redact, touched(git, place, head))))
    pull: Pull | None = None
    issues: tuple[str, ...] = ()
    verdict = process
    exposed = exposure(git, place, state, redact)
    found = pulls.look(task, run, github, theirs)
    if process == FINISHED:
        evidence, state = _deliver(task, git, place, state, exposed)
        evidence = replace(evidence, report=report)
        evidence = created_issues(task, run, github, evidence, git.home)
        evidence, pull = pulls.of_branch(task, run, github, evidence, report, guard)
        evidence = replace(evidence, pull_away=evidence.pull_away or found.away)
        verdict, issues = judge_work(evidence, now, defer), evidence.issues
    pull = pull or next(iter(found.mine), None)
    also = pulls.guarded(found, pull, guard)
    seen = conduct(git, place, task.repo, github, state.there)
    verdict = with_breaches(verdict, [*([exposed] if exposed else []), *seen.breaches])
    verdict = pulls.told(verdict, found, also)
    kept = ""
    if verdict.kind is not OutcomeKind.SUCCEEDED and state.dirty:
        kept = _keep(git, place, task)
    return Outcome(
        kind=verdict.kind or OutcomeKind.FAILED,
        reason=verdict.reason,
        message=redact(verdict.message),
        pr=pull.url if pull and (pull.open or pull.merged) else "",
        branch=task.branch if state.head else "",
        head=state.head,
        commits=state.commits,
        pushed=bool(state.head) and state.remote_head == state.head,
        wip=kept,
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
    task: TaskSpec, git: Git, place: Workspace, state: GitState, exposed: Breach | None
) -> tuple[Evidence, GitState]:
    """Push what is committed and not pushed, when that loses nothing at the remote."""
    pushed = Pushed()
    reads_only = task.issue is None and task.mode in {Mode.READ, Mode.ISSUE}
    if state.commits and state.remote_head not in {None, state.head} and not reads_only:
        if exposed:
            searched = exposed.reason != "not_searched"
            pushed = Pushed("there is a secret in them" if searched else exposed.message)
        elif remote.fast_forward(git, place, state):
            pushed = remote.push(git, place, task, state)
        else:
            pushed = Pushed("the remote's branch has commits that are not here")
        state = remote.ask_again(git, place, state)
    evidence = Evidence(
        commits=state.commits,
        dirty=state.dirty,
        head=state.head,
        remote_head=state.remote_head,
        push_error=pushed.error,
        push_away=pushed.away,
        wants_pull=task.github and task.issue is not None and not exposed,
        mode=task.mode if task.issue is None else None,
    )
    return evidence, state


def _keep(git: Git, place: Workspace, task: TaskSpec) -> str:
    """Uncommitted work survives as a commit on a ref; the clone will be used again."""
    try:
        return workspace.save_work(git, place.clone, task.id.lower())
    except CwError:
        return ""  # the tree stays as it is; the next run keeps it again before it cleans
