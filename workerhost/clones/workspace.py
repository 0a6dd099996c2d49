"""A worker's clone of a repository, and what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cw.models import TaskSpec
from workerhost.clones.git import Git


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a task is worked on. `base_sha` is the default branch's tip when the run began."""

    clone: Path
    branch: str
    base: str  # name of the default branch
    base_sha: str
    url: str  # of the repository; the clone's own idea of it is the agent's to change


@dataclass(frozen=True, slots=True)
class GitState:
    """What git says after a run."""

    head: str  # sha of the branch; empty when it is gone
    commits: int  # ahead of the base
    dirty: bool
    remote_head: str | None  # None: the remote could not be asked; empty: not pushed
    # The remote's branches and tags; None when it could not be asked.
    there: Mapping[str, str] | None = field(default=None, compare=False)


def clone_path(git: Git, spec: TaskSpec) -> Path:
    return git.home.clones / spec.repo_folder


def is_clone(path: Path) -> bool:
    """A run that was cut off before it had a clone has an empty path."""
    return path.is_absolute() and (path / ".git").is_dir()


def save_work(git: Git, clone: Path, name: str) -> str:
    """Commit whatever is uncommitted, new files too, to refs/cw/wip/<name>. Empty: nothing was."""
    if not is_clone(clone) or not is_dirty(git, clone):
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


def is_dirty(git: Git, at: Path) -> bool:
    return bool(git.run("status", "--porcelain", at=at).out)
