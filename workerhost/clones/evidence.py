"""What stands on a task's branch, here and at the remote; and pushing it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from cw.errors import CwError, WorkspaceError
from cw.homes.files import read_json
from cw.models import Start
from cw.names import is_task_branch
from workerhost.clones import remote
from workerhost.clones.bounded import Feeding
from workerhost.clones.git import Bounds
from workerhost.clones.git_errors import failure
from workerhost.clones.lens import Lens, lens
from workerhost.clones.quarantine import Quarantine
from workerhost.clones.reflogs import traces
from workerhost.clones.workspace import GitState, Workspace, is_clone, is_dirty, kept_ref

_SHA = re.compile(r"[0-9a-f]{40,64}")
_MOST_LISTED = 1000  # branches of a clone
_MOST_OTHERS = 20  # that are looked at


@dataclass(frozen=True, slots=True)
class Pushed:
    """`error`: git's reason; empty when it worked. `away`: asking again later may help."""

    error: str = ""
    away: bool = False


def inspect(box: Quarantine, start: Start | None = None) -> GitState:
    """The branch's commits are in the quarantine then. `start`: of the task's first run."""
    nothing = GitState("", 0, dirty=False, remote_head=None)
    if not is_clone(box.place.clone):
        return nothing
    try:
        with lens(box.git, box.place.clone) as seen:
            state = replace(nothing, head=box.bring(seen))
            state = replace(state, dirty=is_dirty(seen))
            state = replace(state, beside=_beside(box, seen, state, start))
    except (WorkspaceError, OSError) as error:
        state = replace(nothing, unjudged=_why(error))
    state = ask_again(box, state)
    return _ahead(box, state, start) if state.head else state


def _why(error: WorkspaceError | OSError) -> WorkspaceError:
    return error if isinstance(error, WorkspaceError) else WorkspaceError(str(error))


def _ahead(box: Quarantine, state: GitState, start: Start | None) -> GitState:
    """With the commits that the task added. When the default branch has all of them now, it has
    merged ours, or we have merged it.
    """
    main = (state.there or {}).get(f"refs/heads/{box.place.base}", "")
    without = _not_its_own(box, start)
    commits = _count(box, state.head, [*without, main])
    landed = _count(box, state.head, without) if main and not commits else 0
    carried = start.carried if start else ""
    pending = commits or (carried and _count(box, state.head, [*_there(without, carried), main]))
    return replace(state, commits=commits, landed=landed, pending=bool(pending))


def _there(without: Sequence[str], carried: str) -> list[str]:
    return [sha for sha in without if sha != carried]


def _not_its_own(box: Quarantine, start: Start | None) -> list[str]:
    """What was there before the task, and what came from the remote while its agent was there."""
    before = read_json(box.git.home.refs) or {}
    own = str(before.get(f"refs/heads/{box.place.branch}") or "")
    found = [box.place.base_sha]
    if start:
        found += [start.base_sha, start.branch_sha, start.carried, *start.others]
        others = (sha for ref, sha in before.items() if ref != f"refs/heads/{box.place.branch}")
        found += [] if start.whole else [str(sha) for sha in others]
        known = (own, start.branch_sha)
        found += traces(box.place, box.place.branch, known).fetched
    return [sha for sha in dict.fromkeys(found) if _SHA.fullmatch(sha)]


def _count(box: Quarantine, head: str, without: Sequence[str]) -> int:
    source = "".join(f"{revision}\n" for revision in (head, *(f"^{sha}" for sha in without if sha)))
    feeding = Feeding(source=source.encode())
    asked = ("rev-list", "--count", "--ignore-missing", "--stdin")
    told = box.run(*asked, bounds=Bounds(feeding=feeding))
    return int(told.out) if told.ok else 0


def _beside(box: Quarantine, seen: Lens, state: GitState, start: Start | None) -> Mapping[str, str]:
    """Work of this task on other branches than its own. Commits on no branch get a ref."""
    if start is None:
        return {}
    without = [*_not_its_own(box, start), state.head]
    found = {}
    for name, sha in _others(seen, box.place.branch, {*without}):
        try:
            box.bring_also(seen, sha, [state.head])
        except WorkspaceError:
            continue
        if _count(box, sha, without):
            found[name or _kept(seen, box.place.branch, sha)] = sha
    return found


def _others(seen: Lens, branch: str, known: Collection[str]) -> list[tuple[str, str]]:
    """Name and head; without a name what HEAD stands on when it is on no branch."""
    listed = "--format=%(objectname) %(refname:strip=2)", f"--count={_MOST_LISTED}"
    rows = seen.need("for-each-ref", *listed, "refs/heads/").splitlines()
    found = [(name, sha) for sha, _, name in (row.partition(" ") for row in rows)]
    if not seen.branch:
        found.append(("", seen.need("rev-parse", "--verify", "HEAD^{commit}")))
    news = [(name, sha) for name, sha in found if sha not in known and name != branch]
    return [(name, sha) for name, sha in news if not is_task_branch(name)][:_MOST_OTHERS]


def _kept(seen: Lens, branch: str, sha: str) -> str:
    ref = kept_ref(branch, sha)
    seen.need("update-ref", "--no-deref", ref, sha)
    return ref


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
