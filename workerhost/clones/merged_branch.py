"""After a merge: the branch of its task in a worker's clone, which nobody needs any more."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cw.errors import WorkspaceError
from cw.homes.files import write_private
from workerhost.clones.git import NETWORK_SECONDS, Bounds, Git
from workerhost.clones.host_repositories import occupied
from workerhost.clones.lens import Lens, lens
from workerhost.clones.mirror import HEADS
from workerhost.clones.renewing import update_refs
from workerhost.clones.workspace import WIP, is_clone, is_dirty

_BUSY_SECONDS = 10.0  # longer than most views last
_LONG = Bounds(seconds=NETWORK_SECONDS)
_ROW = "--format=%(refname) %(objectname)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """`head`: that was merged. `pushed`: others of the branch that were proven to be at the remote.
    `base`: the branch that the clone stands on instead.
    """

    clone: Path
    branch: str
    base: str
    head: str
    pushed: Collection[str] = ()


def remove_branch(git: Git, merged: Merged) -> str:
    """Take the branch out of the clone, and refs of what was kept, where each commit of theirs was
    pushed. Returns why it stays; empty: there is none any more. May be repeated, whatever it was
    cut short by. Raises UnavailableError, also BusyError; HostLeavesError.
    """
    if not is_clone(merged.clone):
        return ""
    with occupied(git.settings, git.home, _BUSY_SECONDS, git.leave):
        try:
            with lens(git, merged.clone, unlock=True) as seen:
                return _removed(seen, merged)
        except (WorkspaceError, OSError) as error:
            return f"the clone cannot be changed: {error}"


def _removed(seen: Lens, merged: Merged) -> str:
    ref = HEADS + merged.branch
    there = [sha for sha in (merged.head, *merged.pushed) if _commit(seen, sha)]
    tip = _commit(seen, ref)
    if tip:
        known = (sha for sha in there if _within(seen, tip, sha))
        there = list(known)
        if not there:
            return _unpushed(seen, merged, tip)
        if seen.branch == merged.branch and (why := _step_aside(seen, merged.base)):
            return why
    kept = _kept(seen, there[0]) if there else []
    gone = [*kept, *([f"{ref} {tip}"] if tip else [])]
    if gone:
        update_refs(seen, [f"delete {row}" for row in gone])
    with suppress(OSError):  # there is none, or a folder of that name
        (seen.clone / ".git" / "logs" / ref).unlink()
    return ""


def _commit(seen: Lens, name: str) -> str:
    return seen.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").out.strip()


def _within(seen: Lens, sha: str, later: str) -> bool:
    return seen.run("merge-base", "--is-ancestor", sha, later).ok


def _unpushed(seen: Lens, merged: Merged, tip: str) -> str:
    if not _commit(seen, merged.head):
        return f"{tip[:12]}, where it stands, was never seen at GitHub"
    count = seen.need("rev-list", "--count", f"{merged.head}..{tip}", "--")
    return f"{count} of its commits {'was' if count == '1' else 'were'} not merged"


def _step_aside(seen: Lens, base: str) -> str:
    """Have the clone stand on the base. Why not; empty: it does. HEAD first: cut short after it,
    the files are those of the branch, and the next task keeps them as what was not committed.
    """
    target = _commit(seen, HEADS + base)
    if not target:
        return f"the clone stands on it, and has no {base}"
    if is_dirty(seen):
        return "the clone stands on it, with what is not committed"
    write_private(seen.git_dir / "HEAD", f"ref: {HEADS}{base}\n".encode())
    seen.stand_on(target)
    seen.need("read-tree", "--reset", "-u", target, bounds=_LONG)
    return ""


def _kept(seen: Lens, head: str) -> list[str]:
    """Refs that keep nothing: all that they lead to is in this commit."""
    return seen.need("for-each-ref", _ROW, f"--merged={head}", WIP).splitlines()
