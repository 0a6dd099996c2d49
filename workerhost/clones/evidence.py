"""What stands on a task's branch, here and at the remote; and pushing it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cw.errors import CwError, WorkspaceError
from workerhost.clones import remote
from workerhost.clones.lens import lens
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.words import failure
from workerhost.clones.workspace import GitState, Workspace, is_clone, is_dirty


@dataclass(frozen=True, slots=True)
class Pushed:
    """`error`: git's reason; empty when it worked. `away`: asking again later may help."""

    error: str = ""
    away: bool = False


def inspect(box: Quarantine) -> GitState:
    """The branch's commits are in the quarantine then."""
    nothing = GitState("", 0, dirty=False, remote_head=None)
    if not is_clone(box.place.clone):
        return nothing
    try:
        with lens(box.git, box.place.clone) as seen:
            state = replace(nothing, head=box.bring(seen))
            state = replace(state, dirty=is_dirty(seen))
    except (WorkspaceError, OSError) as error:
        state = replace(nothing, unjudged=_why(error))
    state = ask_again(box, state)
    return replace(state, commits=_ahead(box, state)) if state.head else state


def _why(error: WorkspaceError | OSError) -> WorkspaceError:
    return error if isinstance(error, WorkspaceError) else WorkspaceError(str(error))


def _ahead(box: Quarantine, state: GitState) -> int:
    """Commits that the default branch had neither when the run began nor has now."""
    main = (state.there or {}).get(f"refs/heads/{box.place.base}", "")
    without = [one for one in dict.fromkeys((box.place.base_sha, main)) if box.has(one)]
    told = box.run("rev-list", "--count", state.head, "--not", *without, "--")
    return int(told.out) if told.ok else 0


def ask_again(box: Quarantine, state: GitState) -> GitState:
    """The same with what the remote has now."""
    try:
        there = remote.heads_and_tags(box.git, box.place.url)
    except CwError:
        there = None
    if there is None or not state.head:
        return replace(state, remote_head=None, there=there)
    at_remote = there.get(f"refs/heads/{box.place.branch}", "")
    return replace(state, remote_head=at_remote, there=there)


def push(box: Quarantine, place: Workspace, state: GitState) -> Pushed:
    """Push the branch's head. Never overwrites what it has not seen."""
    ref = f"refs/heads/{place.branch}"
    lease = f"--force-with-lease={ref}:{state.remote_head or ''}"
    try:
        what = ("--porcelain", "--quiet", lease, place.url, f"{state.head}:{ref}")
        done = box.remote("push", *what, pushes=True)
    except CwError as error:
        return Pushed(error.message)
    if done.ok:
        return Pushed()
    found = failure(done)
    told = f"{found.message}. {found.hint}" if found.hint else found.message
    return Pushed(told, away=found.passing)


def fast_forward(box: Quarantine, state: GitState) -> bool:
    """Whether the remote's branch, if any, is part of ours: pushing loses nothing."""
    return not state.remote_head or box.is_ancestor(state.remote_head, state.head)
