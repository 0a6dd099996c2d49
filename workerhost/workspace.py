"""A worker's clone of a repository and the branch of a task in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cw.errors import CwError, UnavailableError, WorkspaceError
from cw.models import TaskSpec
from workerhost.git import Done, Git, last_line
from workerhost.layout import stays_inside

_PASSING = re.compile(
    r"error: (?:429|5\d\d)|rate limit|[Cc]ould not resolve|timed out|took too long|cannot lock ref"
    r"|Connection (?:refused|reset)|early EOF|hung up|Couldn't connect"
    r"|expected flush|unexpected disconnect|Failed to connect|Empty reply|Temporary failure"
)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a task is worked on. `base_sha` is the default branch's tip when the run began."""

    clone: Path
    branch: str
    base: str  # name of the default branch
    base_sha: str
    url: str  # of the repository; the clone's own idea of it is the agent's to change


@dataclass(frozen=True, slots=True)
class Pushed:
    """`error`: git's reason; empty when it worked. `away`: asking again later may help."""

    error: str = ""
    away: bool = False


@dataclass(frozen=True, slots=True)
class GitState:
    """What git says after a run."""

    head: str  # sha of the branch; empty when it is gone
    commits: int  # ahead of the base
    dirty: bool
    remote_head: str | None  # None: the remote could not be asked; empty: not pushed


def clone_path(git: Git, spec: TaskSpec) -> Path:
    return git.home.clones / spec.repo_folder


def prepare(git: Git, spec: TaskSpec, *, resume: bool) -> Workspace:
    """Clone or fetch, and stand on the task's branch. Raises WorkspaceError.

    A resumed task finds its clone as it was left. Otherwise whatever lies about uncommitted is kept
    as a commit on a ref below refs/cw/wip before the clone is made clean.
    """
    clone = clone_path(git, spec)
    for path in (clone, git.home.tmp):
        if not stays_inside(git.home, path):
            raise WorkspaceError(f"{path} leads out of the worker's HOME: not used")
    git.home.tmp.mkdir(mode=0o700, exist_ok=True)
    if not (clone / ".git").is_dir():
        _clone(git, spec, clone)
    else:
        _unlock(git, clone)
        _fetch(git, spec, clone)
    base = _default_branch(git, spec, clone)
    base_sha = git.need("rev-parse", f"refs/remotes/origin/{base}", at=clone)
    if not (resume and _on_branch(git, clone, spec.branch)):
        save_work(git, clone, f"before-{spec.id.lower()}")
        _start_branch(git, clone, spec.branch, base)
    return Workspace(clone, spec.branch, base, base_sha, spec.repo_url)


def inspect(git: Git, workspace: Workspace) -> GitState:
    """What stands on the branch, here and at the remote."""
    at, branch = workspace.clone, workspace.branch
    if not is_clone(at):
        return GitState("", 0, dirty=False, remote_head=None)
    head = git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", at=at)
    if not head.ok:
        return GitState("", 0, dirty=_dirty(git, at), remote_head=None)
    base = f"refs/remotes/origin/{workspace.base}"
    count = git.run("rev-list", "--count", f"{base}..{head.out}", at=at)
    return GitState(
        head=head.out,
        commits=int(count.out) if count.ok and count.out.isdigit() else 0,
        dirty=_dirty(git, at),
        remote_head=remote_head(git, workspace),
    )


def remote_head(git: Git, workspace: Workspace) -> str | None:
    try:
        asked = _ask(git, workspace.url, f"refs/heads/{workspace.branch}")
    except CwError:
        return None
    if not asked.ok:
        return None
    return asked.out.split()[0] if asked.out else ""


def remote_refs(git: Git, workspace: Workspace) -> dict[str, str] | None:
    """Its branches and tags; None when it could not be asked."""
    try:
        asked = _ask(git, "--heads", "--tags", workspace.url)
    except CwError:
        return None
    lines = (line.split("\t") for line in asked.out.splitlines() if "\t" in line)
    return {ref: sha for sha, ref in lines} if asked.ok else None


def _ask(git: Git, *args: str) -> Done:
    """ls-remote, in a folder that the agent cannot write to and that belongs to no repository."""
    git = replace(git, env=git.env | {"GIT_CEILING_DIRECTORIES": str(git.home.path)})
    return git.run("ls-remote", *args, at=git.home.run, network=True)


def push(git: Git, workspace: Workspace, spec: TaskSpec, state: GitState) -> Pushed:
    """Push the branch's head.

    From a bare repository of our own that only borrows the clone's objects, so that nothing the
    agent wrote into the clone's configuration takes part. Never overwrites what it has not seen.
    """
    ref = f"refs/heads/{workspace.branch}"
    try:
        with borrowing(git, workspace.clone, f"push-{spec.id.lower()}") as bare:
            done = git.run(
                "push",
                "--quiet",
                f"--force-with-lease={ref}:{state.remote_head or ''}",
                spec.repo_url,
                f"{state.head}:{ref}",
                at=bare,
                network=True,
                origin_writable=True,
            )
    except CwError as error:
        return Pushed(error.message)
    if done.ok:
        return Pushed()
    return Pushed(last_line(done.err), away=bool(_PASSING.search(done.err)))


@contextmanager
def borrowing(git: Git, clone: Path, name: str) -> Iterator[Path]:
    """A bare repository of our own that borrows the clone's objects, for as long as it is needed.
    Raises WorkspaceError.
    """
    if not stays_inside(git.home, git.home.tmp):
        raise WorkspaceError(f"{git.home.tmp} leads out of the worker's HOME: not used")
    bare = git.home.tmp / f"{name}.git"
    shutil.rmtree(bare, ignore_errors=True)
    try:
        git.need("init", "--bare", "--quiet", str(bare), at=git.home.run)
        lender = clone / ".git" / "objects"
        (bare / "objects" / "info" / "alternates").write_text(f"{lender}\n", encoding="utf-8")
        yield bare
    finally:
        shutil.rmtree(bare, ignore_errors=True)


def fast_forward(git: Git, workspace: Workspace, state: GitState) -> bool:
    """Whether the remote's branch, if any, is part of ours: pushing loses nothing."""
    if not state.remote_head:
        return True
    check = git.run(
        "merge-base", "--is-ancestor", state.remote_head, state.head, at=workspace.clone
    )
    return check.ok


def save_work(git: Git, clone: Path, name: str) -> str:
    """Commit whatever is uncommitted, new files too, to refs/cw/wip/<name>. Empty: nothing was."""
    if not is_clone(clone) or not _dirty(git, clone):
        return ""
    index = git.home.tmp / f"wip-{name}.index"
    scratch = Git(
        git.home, git.wall, git.env | {"GIT_INDEX_FILE": str(index)}, git.settings, git.origin
    )
    try:
        if not scratch.run("read-tree", "HEAD", at=clone).ok:
            return ""
        scratch.need("add", "--all", at=clone)
        tree = scratch.need("write-tree", at=clone)
        message = f"Uncommitted work kept by Claude Workers ({name})"
        commit = git.need("commit-tree", tree, "-p", "HEAD", "-m", message, at=clone)
        git.need("update-ref", f"refs/cw/wip/{name}", commit, at=clone)
    finally:
        index.unlink(missing_ok=True)
    return f"refs/cw/wip/{name}"


def _clone(git: Git, spec: TaskSpec, clone: Path) -> None:
    """Beside its place first, so that a clone cut short is never taken for one."""
    part = git.home.tmp / f"clone-{spec.id.lower()}"
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(clone, ignore_errors=True)
    clone.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    done = git.run(
        "clone", "--quiet", "--", spec.repo_url, str(part), at=git.home.run, network=True
    )
    if not done.ok:
        shutil.rmtree(part, ignore_errors=True)
        _need_remote(done)
    part.rename(clone)


def _fetch(git: Git, spec: TaskSpec, clone: Path) -> None:
    """From the repository itself: an earlier agent may have pointed `origin` elsewhere. By way of a
    repository of our own, because the clone's configuration must not meet the login.
    """
    every = "+refs/heads/*:refs/remotes/origin/*"
    for name, value in (("url", spec.repo_url), ("fetch", every)):
        git.need("config", "--replace-all", f"remote.origin.{name}", value, at=clone)
    git.run("config", "--unset-all", "remote.origin.pushurl", at=clone)
    with borrowing(git, clone, f"fetch-{spec.id.lower()}") as bare:
        heads = "+refs/heads/*:refs/heads/*"
        _need_remote(git.run("fetch", "--quiet", spec.repo_url, heads, at=bare, network=True))
        git.need("fetch", "--prune", "--quiet", str(bare), every, at=clone)


def _need_remote(done: Done) -> None:
    """Raises UnavailableError for what may pass by itself, else WorkspaceError."""
    if done.ok:
        return
    said = f"the repository cannot be fetched: {last_line(done.err)}"
    raise UnavailableError(said) if _PASSING.search(done.err) else WorkspaceError(said)


def _unlock(git: Git, clone: Path) -> None:
    """Locks of a git that was killed; no other works here now."""
    if stays_inside(git.home, clone / ".git"):
        for lock in (clone / ".git").glob("*.lock"):
            lock.unlink(missing_ok=True)


def is_clone(path: Path) -> bool:
    """A run that was cut off before it had a clone has an empty path."""
    return path.is_absolute() and (path / ".git").is_dir()


def _default_branch(git: Git, spec: TaskSpec, clone: Path) -> str:
    asked = _ask(git, "--symref", spec.repo_url, "HEAD")
    _need_remote(asked)
    found = re.match(r"ref: refs/heads/(\S+)\tHEAD$", asked.out, re.MULTILINE)
    if not found:
        raise WorkspaceError("the repository has no default branch; is it empty?")
    git.run("remote", "set-head", "origin", found[1], at=clone)
    return found[1]


def _start_branch(git: Git, clone: Path, branch: str, base: str) -> None:
    """The branch as the remote has it, else new from the default branch; a clean tree."""
    known = f"refs/remotes/origin/{branch}"
    start = branch if git.run("rev-parse", "--verify", "--quiet", known, at=clone).ok else base
    _keep_commits(git, clone, branch, f"origin/{start}")
    git.run("merge", "--abort", at=clone)
    git.run("rebase", "--abort", at=clone)
    git.need("reset", "--quiet", "--hard", at=clone)
    git.need("clean", "-ffdq", at=clone)
    git.need("checkout", "--quiet", "--no-track", "-B", branch, f"origin/{start}", at=clone)


def _keep_commits(git: Git, clone: Path, branch: str, start: str) -> None:
    """Commits of an earlier task on this branch that were never pushed stay reachable."""
    old = git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", at=clone)
    if old.ok and not git.run("merge-base", "--is-ancestor", old.out, start, at=clone).ok:
        git.need("update-ref", f"refs/cw/wip/{branch}-{old.out[:12]}", old.out, at=clone)


def _on_branch(git: Git, clone: Path, branch: str) -> bool:
    return git.run("symbolic-ref", "--short", "HEAD", at=clone).out == branch


def _dirty(git: Git, at: Path) -> bool:
    return bool(git.run("status", "--porcelain", at=at).out)


def summary(git: Git, workspace: Workspace) -> str:
    """The clone in a few lines, for an agent that goes on after an interruption."""
    at, base = workspace.clone, f"origin/{workspace.base}"
    parts = [
        f"branch {workspace.branch}",
        "commits since the base:",
        git.run("log", "--oneline", "-n", "20", f"{base}..HEAD", at=at).out or "(none)",
        "uncommitted:",
        git.run("status", "--short", at=at).out[:2000] or "(nothing)",
    ]
    return "\n".join(parts)
