"""What an agent committed and did not push is pushed, when that loses nothing at the remote."""

from __future__ import annotations

from cw.models import TaskSpec
from cw.reasons import Reason
from cw.redaction.redact import Redactor
from cw.states import Mode
from workerhost.clones import evidence as seen_by_git
from workerhost.clones.evidence import Pushed
from workerhost.clones.lfs import upload
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.workspace import GitState
from workerhost.settling.verdict import Breach, Evidence

_READS = {Mode.READ, Mode.ISSUE}


def push_commits(
    task: TaskSpec,
    box: Quarantine,
    state: GitState,
    exposed: Breach | None,
    redact: Redactor,
    *,
    kept: str = "",
) -> tuple[Evidence, GitState]:
    """Push what is committed and not pushed, when that loses nothing at the remote. `kept`: why it
    stays here all the same.
    """
    pushed = Pushed()
    goes = _has_work(task, state, exposed) and not kept
    files = upload(box, state.head, redact.knows) if goes else ""
    if state.pending and state.remote_head not in {None, state.head} and not reads_only(task):
        if exposed:
            searched = exposed.reason != Reason.NOT_SEARCHED
            pushed = Pushed("there is a secret in them" if searched else exposed.message)
        elif kept:
            pushed = Pushed(kept)
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
    return state.pending and exposed is None and not reads_only(task)


def reads_only(task: TaskSpec) -> bool:
    return task.issue is None and task.mode in _READS
