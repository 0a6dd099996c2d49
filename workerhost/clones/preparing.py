"""Before a run: the clone as the remote has it, and the task's branch in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cw.errors import WorkspaceError
from cw.models import TaskSpec
from workerhost.clones import remote
from workerhost.clones.git import Git
from workerhost.clones.workspace import Workspace, clone_path, save_work
from workerhost.homes.layout import stays_inside

_ORIGIN = "refs/remotes/origin/"
_UNFINISHED = (("MERGE_HEAD", "merge"), ("rebase-merge", "rebase"), ("rebase-apply", "rebase"))


def prepare(git: Git, spec: TaskSpec, *, resume: bool) -> Workspace:
    """Clone or fetch, and stand on the task's branch. What the remote has is written down, for the
    comparison after the run. Raises WorkspaceError.

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
    found = remote.find(git, spec.repo_url)
    remote.remember(git.home, found.refs)
    base, here = found.default, _refs(git, clone, found.default, spec.branch)
    if _ORIGIN + base not in here:
        raise WorkspaceError(f"the default branch {base} was not fetched")
    if here.get(_ORIGIN + "HEAD") != _ORIGIN + base:
        git.run("remote", "set-head", "origin", base, at=clone)
    if not (resume and _on_branch(git, clone, spec.branch)):
        save_work(git, clone, f"before-{spec.id.lower()}")
        _start_branch(git, clone, spec.branch, base, here)
    return Workspace(clone, spec.branch, base, here[_ORIGIN + base], spec.repo_url)


def _clone(git: Git, spec: TaskSpec, clone: Path) -> None:
    """Beside its place first, so that a clone cut short is never taken for one."""
    part = git.home.tmp / f"clone-{spec.id.lower()}"
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(clone, ignore_errors=True)
    clone.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Of a path, git 2.39 copies files, borrows where that one borrows, and follows no links.
    how = ("--quiet", "--no-local")
    done = git.run("clone", *how, "--", spec.repo_url, str(part), at=git.home.run, network=True)
    if not done.ok:
        shutil.rmtree(part, ignore_errors=True)
        remote.need(done)
    part.rename(clone)


def _fetch(git: Git, spec: TaskSpec, clone: Path) -> None:
    """From the repository itself: an earlier agent may have pointed `origin` elsewhere. By way of a
    repository of our own, because the clone's configuration must not meet the login.
    """
    every = f"+refs/heads/*:{_ORIGIN}*"
    _point(git, clone, {"url": spec.repo_url, "fetch": every})
    with remote.borrowing(git, clone, f"fetch-{spec.id.lower()}") as bare:
        heads = "+refs/heads/*:refs/heads/*"
        remote.need(git.run("fetch", "--quiet", spec.repo_url, heads, at=bare, network=True))
        git.need("fetch", "--prune", "--quiet", str(bare), every, at=clone)


def _point(git: Git, clone: Path, wanted: dict[str, str]) -> None:
    """For the agent's own git: this is what `origin` means."""
    names = r"^remote\.origin\.(url|fetch|pushurl)$"
    told = git.run("config", "--local", "--get-regexp", names, at=clone).out
    if sorted(told.splitlines()) == sorted(f"remote.origin.{n} {v}" for n, v in wanted.items()):
        return
    for name, value in wanted.items():
        git.need("config", "--replace-all", f"remote.origin.{name}", value, at=clone)
    git.run("config", "--unset-all", "remote.origin.pushurl", at=clone)


def _unlock(git: Git, clone: Path) -> None:
    """Locks of a git that was killed; no other works here now. No ref's name ends like that."""
    if not stays_inside(git.home, clone / ".git"):
        return
    for folder, _, files in os.walk(clone / ".git"):  # follows no links
        for name in files:
            if name.endswith(".lock"):
                (Path(folder) / name).unlink(missing_ok=True)


def _refs(git: Git, clone: Path, base: str, branch: str) -> dict[str, str]:
    """What the clone has: ref to sha; `origin`'s HEAD to the ref it stands for. One question for
    all, as each has a wall of its own.
    """
    head = _ORIGIN + "HEAD"
    names = (head, _ORIGIN + base, _ORIGIN + branch, f"refs/heads/{branch}")
    told = git.need("for-each-ref", "--format=%(refname) %(objectname) %(symref)", *names, at=clone)
    rows = (line.split() for line in told.splitlines())
    return {row[0]: row[-1] if row[0] == head else row[1] for row in rows if row[0] in names}


def _start_branch(git: Git, clone: Path, branch: str, base: str, here: dict[str, str]) -> None:
    """The branch as the remote has it, else new from the default branch; a clean tree."""
    start = _ORIGIN + (branch if _ORIGIN + branch in here else base)
    _keep_commits(git, clone, branch, here.get(f"refs/heads/{branch}", ""), start)
    for begun, command in _UNFINISHED:
        if os.path.lexists(clone / ".git" / begun):
            git.run(command, "--abort", at=clone)
    git.need("checkout", "--quiet", "--force", "--no-track", "-B", branch, start, at=clone)
    git.need("clean", "-ffdq", at=clone)


def _keep_commits(git: Git, clone: Path, branch: str, old: str, start: str) -> None:
    """Commits of an earlier task on this branch that were never pushed stay reachable."""
    if old and not git.run("merge-base", "--is-ancestor", old, start, at=clone).ok:
        git.need("update-ref", f"refs/cw/wip/{branch}-{old[:12]}", old, at=clone)


def _on_branch(git: Git, clone: Path, branch: str) -> bool:
    return git.run("symbolic-ref", "--short", "HEAD", at=clone).out == branch
