"""Before a run: the clone as the remote has it, and the task's branch in it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from cw.errors import WorkspaceError
from cw.models import TaskSpec
from workerhost import remote
from workerhost.git import Git
from workerhost.layout import stays_inside
from workerhost.workspace import Workspace, clone_path, save_work


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
        remote.need(done)
    part.rename(clone)


def _fetch(git: Git, spec: TaskSpec, clone: Path) -> None:
    """From the repository itself: an earlier agent may have pointed `origin` elsewhere. By way of a
    repository of our own, because the clone's configuration must not meet the login.
    """
    every = "+refs/heads/*:refs/remotes/origin/*"
    for name, value in (("url", spec.repo_url), ("fetch", every)):
        git.need("config", "--replace-all", f"remote.origin.{name}", value, at=clone)
    git.run("config", "--unset-all", "remote.origin.pushurl", at=clone)
    with remote.borrowing(git, clone, f"fetch-{spec.id.lower()}") as bare:
        heads = "+refs/heads/*:refs/heads/*"
        remote.need(git.run("fetch", "--quiet", spec.repo_url, heads, at=bare, network=True))
        git.need("fetch", "--prune", "--quiet", str(bare), every, at=clone)


def _unlock(git: Git, clone: Path) -> None:
    """Locks of a git that was killed; no other works here now. No ref's name ends like that."""
    if not stays_inside(git.home, clone / ".git"):
        return
    for folder, _, files in os.walk(clone / ".git"):  # follows no links
        for name in files:
            if name.endswith(".lock"):
                (Path(folder) / name).unlink(missing_ok=True)


def _default_branch(git: Git, spec: TaskSpec, clone: Path) -> str:
    asked = remote.ask(git, "--symref", spec.repo_url, "HEAD")
    remote.need(asked)
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
