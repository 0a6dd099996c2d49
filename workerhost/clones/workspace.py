"""A worker's clone of a repository, and what stands in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cw.errors import TooLargeError, WorkspaceError
from cw.models import TaskSpec
from workerhost.clones.bounded import Feeding
from workerhost.clones.done import need
from workerhost.clones.flags import Names, reveal
from workerhost.clones.foreign import STATUS, UNTRACKED, is_link, sweep_stubs
from workerhost.clones.git import Bounds, Git
from workerhost.clones.lens import Lens, lens

WIP = "refs/cw/wip/"  # what is kept in a clone
_NAME = 100  # characters; a file's name has 255 at most
_INDEX = "cw-wip.index"
_SHOWN = Bounds(text=2000)
_STATUS = (*STATUS, "--no-renames")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a task is worked on. `base_sha` is the default branch's tip when the run began."""

    clone: Path
    branch: str
    base: str  # name of the default branch
    base_sha: str
    url: str  # of the repository; the clone's own idea of it is the agent's to change
    notes: tuple[str, ...] = ()  # what happened while it was prepared, for people and the agent
    lfs: bool = False  # its files are in Git LFS
    missing: tuple[str, ...] = ()  # what it should have and has not, in words
    carried: str = ""  # commit that the branch begins with, which the remote did not take
    rescued: tuple[str, ...] = ()  # refs with what only the clone before it had


@dataclass(frozen=True, slots=True)
class GitState:
    """What git says after a run."""

    head: str  # sha of the branch; empty when it is gone
    commits: int  # that were nowhere when the task began
    dirty: bool
    remote_head: str | None  # None: the remote could not be asked; empty: not pushed
    # The remote's branches and tags; None when it could not be asked.
    there: Mapping[str, str] | None = field(default=None, compare=False)
    landed: int = 0  # likewise, and in the default branch by now: ours only if that is our merge
    # Other branches of the clone with work of this task, and their heads.
    beside: Mapping[str, str] = field(default_factory=dict, compare=False)
    pending: bool = False  # it has commits that no run has pushed yet, of this task or one before
    unjudged: WorkspaceError | None = None  # why git was not asked about the clone, or gave up


def clone_path(git: Git, spec: TaskSpec) -> Path:
    return git.home.clones / spec.repo_folder


def is_clone(path: Path) -> bool:
    """A run that was cut off before it had a clone has an empty path."""
    return path.is_absolute() and os.path.lexists(path / ".git")


def save_work(git: Git, clone: Path, name: str) -> str:
    """Commit whatever is uncommitted, new files too, to refs/cw/wip/<name>. Empty: nothing was.
    Raises WorkspaceError.
    """
    if not is_clone(clone):
        return ""
    with lens(git, clone, unlock=True) as seen:
        return keep_work(seen, name)


def keep_work(seen: Lens, name: str) -> str:
    if not is_dirty(seen) or not seen.run("rev-parse", "--verify", "-q", "HEAD^{commit}").ok:
        return ""
    index = seen.clone / ".git" / _INDEX
    index.unlink(missing_ok=True)
    try:
        seen.need("read-tree", "HEAD", index=_INDEX)
        _add_all(seen)
        tree = seen.need("write-tree", index=_INDEX)
        message = f"Uncommitted work kept by Claude Workers ({name})"
        commit = seen.need("commit-tree", tree, "-p", "HEAD", "-m", message)
        seen.need("update-ref", "--no-deref", f"{WIP}{name}", commit)
    finally:
        for file in (index, index.with_name(f"{_INDEX}.lock")):
            file.unlink(missing_ok=True)
    return f"{WIP}{name}"


def _add_all(seen: Lens) -> None:
    """But for what git cannot add: repositories without a commit, which are kept whole. Of
    submodules only which commit they are at: `git add` (2.39) would look for changes within them,
    by a git that reads their configuration.
    """
    links: list[bytes] = []
    listing = Names(lambda row: links.append(row.partition(b"\t")[2]) if is_link(row) else None)
    seen.need("ls-files", "--stage", "-z", index=_INDEX, bounds=listing.bounds)
    apart = b"".join(b":(top,exclude,literal)%s\0" % link for link in links)
    from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
    fed = Bounds(feeding=Feeding(source=b":/\0" + apart))
    done = seen.run("add", "--all", "--ignore-errors", *from_stdin, index=_INDEX, bounds=fed)
    if links:
        fed = Bounds(feeding=Feeding(source=b"".join(link + b"\0" for link in links)))
        seen.run("update-index", "-z", "--stdin", index=_INDEX, bounds=fed)
    if done.ok:
        return
    left: list[bytes] = []
    listing = Names(lambda name: left.append(name) if not name.endswith(b"/") else None)
    told = seen.run(*UNTRACKED, index=_INDEX, bounds=listing.bounds)
    if left or done.over or not told.ok:
        need(done, "add")


def keep_commits(git: Git, place: Workspace, head: str) -> str:
    """Have a ref lead to the branch's commits, named as the next task would. Raises
    WorkspaceError.
    """
    ref = kept_ref(place.branch, head)
    with lens(git, place.clone, unlock=True) as seen:
        seen.need("update-ref", "--no-deref", ref, head)
    return ref


def kept_ref(name: str, sha: str) -> str:
    """Where a commit that was on the branch `name` stays reachable."""
    return f"{WIP}{name.replace('/', '-')[:_NAME]}-{sha[:12]}"


def summary(git: Git, workspace: Workspace) -> str:
    """The clone in a few lines, for an agent that goes on after an interruption."""
    log = ("log", "--oneline", "-n", "20", f"refs/remotes/origin/{workspace.base}..HEAD", "--")
    with lens(git, workspace.clone) as seen:
        sweep_stubs(seen)
        parts = [
            f"branch {workspace.branch}",
            "commits since the base:",
            seen.run(*log).out.strip() or "(none)",
            "uncommitted:",
            seen.run(*_STATUS, bounds=_SHOWN).out.strip() or "(nothing)",
        ]
    return "\n".join(parts)


def is_dirty(seen: Lens) -> bool:
    """The first byte says it; flags of the index hide nothing. Raises WorkspaceError, also
    TooLargeError.
    """
    reveal(seen)
    sweep_stubs(seen)
    said = seen.run(*_STATUS, bounds=Bounds(text=1))
    if said.over and not said.out:
        raise TooLargeError(f"git status took {said.over}")
    if not said.ok and not said.out:
        raise WorkspaceError(f"git status failed: {said.err[-300:]}")
    return bool(said.out)
