"""A task's branch at its remote: asked for, compared with the clone, pushed."""

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
from workerhost.workspace import GitState, Workspace, is_clone, is_dirty

_PASSING = re.compile(
    r"error: (?:429|5\d\d)|rate limit|[Cc]ould not resolve|timed out|took too long|cannot lock ref"
    r"|Connection (?:refused|reset)|early EOF|hung up|Couldn't connect"
    r"|expected flush|unexpected disconnect|Failed to connect|Empty reply|Temporary failure"
)


@dataclass(frozen=True, slots=True)
class Pushed:
    """`error`: git's reason; empty when it worked. `away`: asking again later may help."""

    error: str = ""
    away: bool = False


def inspect(git: Git, workspace: Workspace) -> GitState:
    """What stands on the branch, here and at the remote."""
    at, branch = workspace.clone, workspace.branch
    if not is_clone(at):
        return GitState("", 0, dirty=False, remote_head=None)
    tip = git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", at=at)
    if not tip.ok:
        return GitState("", 0, dirty=is_dirty(git, at), remote_head=None)
    base = f"refs/remotes/origin/{workspace.base}"
    count = git.run("rev-list", "--count", f"{base}..{tip.out}", at=at)
    return GitState(
        head=tip.out,
        commits=int(count.out) if count.ok and count.out.isdigit() else 0,
        dirty=is_dirty(git, at),
        remote_head=head(git, workspace),
    )


def head(git: Git, workspace: Workspace) -> str | None:
    try:
        asked = ask(git, workspace.url, f"refs/heads/{workspace.branch}")
    except CwError:
        return None
    if not asked.ok:
        return None
    return asked.out.split()[0] if asked.out else ""


def refs(git: Git, workspace: Workspace) -> dict[str, str] | None:
    """Its branches and tags; None when it could not be asked."""
    try:
        asked = ask(git, "--heads", "--tags", workspace.url)
    except CwError:
        return None
    lines = (line.split("\t") for line in asked.out.splitlines() if "\t" in line)
    return {ref: sha for sha, ref in lines} if asked.ok else None


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
    """A bare repository of our own that borrows the clone's objects, for as long as it is needed,
    but not its index of commits: an agent can write there what it likes. Raises WorkspaceError.
    """
    if not stays_inside(git.home, git.home.tmp):
        raise WorkspaceError(f"{git.home.tmp} leads out of the worker's HOME: not used")
    bare = git.home.tmp / f"{name}.git"
    shutil.rmtree(bare, ignore_errors=True)
    try:
        git.need("init", "--bare", "--quiet", str(bare), at=git.home.run)
        lender = clone / ".git" / "objects"
        (bare / "objects" / "info" / "alternates").write_text(f"{lender}\n", encoding="utf-8")
        with (bare / "config").open("a", encoding="utf-8") as config:
            config.write("[core]\n\tcommitGraph = false\n")
        yield bare
    finally:
        shutil.rmtree(bare, ignore_errors=True)


def fetch(git: Git, workspace: Workspace, bare: Path, sha: str) -> None:
    """What was pushed from elsewhere. The base tells the remote what is here already; the clone is
    not asked for its refs, as a git with a login would run there. Whether it worked shows later.
    """
    git.run("update-ref", "refs/heads/base", workspace.base_sha, at=bare)
    apart = ("-c", "core.alternateRefsCommand=true", "-c", "gc.auto=0")
    what = ("--quiet", "--no-tags", "--no-write-fetch-head", workspace.url, sha)
    git.run(*apart, "fetch", *what, at=bare, network=True)


def fast_forward(git: Git, workspace: Workspace, state: GitState) -> bool:
    """Whether the remote's branch, if any, is part of ours: pushing loses nothing."""
    if not state.remote_head:
        return True
    check = git.run(
        "merge-base", "--is-ancestor", state.remote_head, state.head, at=workspace.clone
    )
    return check.ok


def need(done: Done) -> None:
    """Raises UnavailableError for what may pass by itself, else WorkspaceError."""
    if done.ok:
        return
    said = f"the repository cannot be fetched: {last_line(done.err)}"
    raise UnavailableError(said) if _PASSING.search(done.err) else WorkspaceError(said)


def ask(git: Git, *args: str) -> Done:
    """ls-remote, in a folder that the agent cannot write to and that belongs to no repository."""
    git = replace(git, env=git.env | {"GIT_CEILING_DIRECTORIES": str(git.home.path)})
    return git.run("ls-remote", *args, at=git.home.run, network=True)
