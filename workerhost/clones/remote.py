"""A task's branch at its remote: asked for, compared with the clone, pushed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cw.errors import CwError, UnavailableError, WorkspaceError
from cw.models import TaskSpec
from workerhost.clones.git import Done, Git, last_line
from workerhost.clones.workspace import GitState, Workspace, is_clone, is_dirty
from workerhost.homes.files import write_private
from workerhost.homes.layout import Home, stays_inside

_PASSING = re.compile(
    r"error: (?:429|5\d\d)|rate limit|[Cc]ould not resolve|timed out|took too long|cannot lock ref"
    r"|Connection (?:refused|reset)|early EOF|hung up|Couldn't connect"
    r"|expected flush|unexpected disconnect|Failed to connect|Empty reply|Temporary failure"
)

_CONFIG = (
    "[core]\n\trepositoryformatversion = 1\n\tbare = true\n\tcommitGraph = false\n"
    "[extensions]\n\tobjectFormat = {}\n"
)
_DEFAULT = re.compile(r"^ref: refs/heads/(\S+)\tHEAD$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pushed:
    """`error`: git's reason; empty when it worked. `away`: asking again later may help."""

    error: str = ""
    away: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """`default`: the name of its default branch; `refs`: its branches and tags, ref to sha."""

    default: str
    refs: dict[str, str]


def find(git: Git, url: str) -> Found:
    """What a repository has. Raises UnavailableError for what may pass by itself, else
    WorkspaceError.
    """
    asked = ask(git, "--symref", url, "HEAD", "refs/heads/*", "refs/tags/*")
    need(asked)
    default, refs = _DEFAULT.search(asked.out), _listed(asked.out)
    if not refs:
        raise WorkspaceError("the repository is empty: it has no branch yet")
    if not default:
        raise WorkspaceError("the repository's HEAD is on no branch with commits")
    return Found(default[1], refs)


def remember(home: Home, refs: Mapping[str, str]) -> None:
    """What the remote has before the agent starts, for the comparison after it."""
    write_private(home.refs, json.dumps(refs).encode())


def inspect(git: Git, workspace: Workspace) -> GitState:
    """What stands on the branch, here and at the remote."""
    at, branch = workspace.clone, f"refs/heads/{workspace.branch}"
    if not is_clone(at):
        return GitState("", 0, dirty=False, remote_head=None)
    # The newest first: with a single branch to start from, that is its head.
    more = git.run("rev-list", f"refs/remotes/origin/{workspace.base}..{branch}", at=at)
    commits = more.out.split() if more.ok else []
    head = commits[0] if commits else _head(git, at, branch)
    seen = GitState(head, len(commits), dirty=is_dirty(git, at), remote_head=None)
    return ask_again(git, workspace, seen)


def _head(git: Git, at: Path, branch: str) -> str:
    tip = git.run("rev-parse", "--verify", "--quiet", branch, at=at)
    return tip.out if tip.ok else ""


def ask_again(git: Git, workspace: Workspace, state: GitState) -> GitState:
    """The same with what the remote has now."""
    try:
        asked = ask(git, "--heads", "--tags", workspace.url)
    except CwError:
        return replace(state, remote_head=None, there=None)
    there = _listed(asked.out) if asked.ok else None
    if there is None or not state.head:
        return replace(state, remote_head=None, there=there)
    at_remote = there.get(f"refs/heads/{workspace.branch}", "")
    return replace(state, remote_head=at_remote, there=there)


def _listed(text: str) -> dict[str, str]:
    """Branches and tags of `ls-remote`'s lines."""
    lines = (line.split("\t") for line in text.splitlines() if "\trefs/" in line)
    return {ref: sha for sha, ref in lines if ref.startswith(("refs/heads/", "refs/tags/"))}


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
        _make(bare, clone / ".git" / "objects", _format(git, clone))
        yield bare
    finally:
        shutil.rmtree(bare, ignore_errors=True)


def _format(git: Git, clone: Path) -> str:
    """Of its objects' names. The clone's word for it can only make git find nothing."""
    said = git.run("rev-parse", "--show-object-format", at=clone).out
    return said if said in {"sha1", "sha256"} else "sha1"


def _make(bare: Path, lender: Path, objects: str) -> None:
    """All that git takes for a repository. Raises WorkspaceError."""
    try:
        for folder in (bare, bare / "refs", bare / "objects" / "info"):
            folder.mkdir(parents=True)
        for name, text in (
            ("HEAD", "ref: refs/heads/none\n"),
            ("config", _CONFIG.format(objects)),
            ("objects/info/alternates", f"{lender}\n"),
        ):
            (bare / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(f"{bare} cannot be made: {error.strerror}") from error


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
