"""What the remote does not have is kept where the next run, or a person, finds it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cw.errors import CwError
from cw.homes.journal import Run
from cw.models import TaskSpec
from cw.states import OutcomeKind
from workerhost.clones import workspace
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.setaside import set_aside
from workerhost.clones.undelivered import delivered, keep_for_next
from workerhost.clones.workspace import GitState
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.verdict import UNPROVEN, Breach, Verdict


@dataclass(frozen=True, slots=True)
class KeptWork:
    verdict: Verdict  # which says in words what is kept, and where
    wip: str = ""  # ref in the clone that keeps what was uncommitted
    commits: str = ""  # ref in the clone that keeps commits which could not be pushed


def keep_work(
    ended: EndedRun, box: Quarantine, state: GitState, verdict: Verdict, exposed: Breach | None
) -> KeptWork:
    task, wip, commits = ended.task, "", ""
    if verdict.kind is not OutcomeKind.SUCCEEDED:
        wip = _keep(box, task) if state.dirty else ""
        commits = _keep_commits(box, state)
    if state.head and state.remote_head == state.head:
        delivered(box, task, state.head)
    next_too = bool(commits) and not exposed and keep_for_next(box, task, state.head)
    if commits and verdict.reason not in UNPROVEN:
        told = _with_kept(verdict, ended.run, commits, next_too=next_too)
        verdict = replace(verdict, message=told)
    if state.unjudged and verdict.reason not in UNPROVEN and not box.git.lost:
        verdict = _set_aside(box, task, verdict)
    return KeptWork(verdict, wip, commits)


def _with_kept(verdict: Verdict, run: Run, kept: str, *, next_too: bool) -> str:
    there = f"its commits are kept on {kept} in the clone of worker {run.worker}, host {run.host}"
    more = ", and the next run of its issue on that host begins with them" if next_too else ""
    return f"{verdict.message}; {there}{more}"


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
