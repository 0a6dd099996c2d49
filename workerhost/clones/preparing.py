"""Before a run: the clone as the remote has it, and the task's branch in it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from cw.errors import WorkspaceError
from cw.models import TaskSpec
from cw.names import is_task_branch
from workerhost.clones import remote
from workerhost.clones.bounded import Feeding, need
from workerhost.clones.git import NETWORK_SECONDS, Bounds, Git
from workerhost.clones.lens import Lens, config, global_config, is_sha256, lens
from workerhost.clones.mirror import HEADS, Mirror, mirrored
from workerhost.clones.places import occupied, scratch, write_open
from workerhost.clones.workspace import Workspace, clone_path, keep_work, kept_ref, set_aside
from workerhost.homes.files import read_regular, write_private
from workerhost.homes.layout import stays_inside
from workerhost.homes.owner import make_folders

log = logging.getLogger("workerhost.preparing")

_ORIGIN = "refs/remotes/origin/"
_EVERY = f"+refs/heads/*:{_ORIGIN}*"
_BUSY_SECONDS = 120.0  # longer than any view lasts
_CONFIG_BYTES = 1 << 20
# What the repository has itself, however large: it was let in by the remote, not left by a run.
_LONG = Bounds(seconds=NETWORK_SECONDS)
# Of a merge, rebase or bisection that nobody will end, and traps for whoever comes next.
_UNFINISHED = (
    *("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "AUTO_MERGE", "SQUASH_MSG", "CHERRY_PICK_HEAD"),
    *("REVERT_HEAD", "rebase-merge", "rebase-apply", "sequencer", "BISECT_LOG", "BISECT_START"),
    *("hooks", "config.worktree", "info/attributes", "info/grafts", "info/sparse-checkout"),
)


Choose = Callable[[Mirror], str]


class _DamagedError(WorkspaceError):
    """The mirror is."""


def prepare(git: Git, spec: TaskSpec, *, resume: bool, choose: Choose | None = None) -> Workspace:
    """Clone or fetch, and stand on the task's branch. What the remote has is written down, for the
    comparison after the run. Raises WorkspaceError.

    A resumed task finds its clone as it was left. Otherwise whatever lies about uncommitted is kept
    as a commit on a ref below refs/cw/wip before the clone is made clean. A clone that cannot be
    used is kept beside, and a new one made. `choose`: which branch it is, now that the remote's are
    known; None: the one that the task names.
    """
    clone = clone_path(git, spec)
    for path in (clone, git.home.tmp):
        if not stays_inside(git.home, path):
            raise WorkspaceError(f"{path} leads out of the worker's HOME: not used")
    with occupied(git.settings, git.home, _BUSY_SECONDS, git.leave):
        try:
            return _prepared(git, spec, clone, choose, resume=resume)
        except _DamagedError:
            return _prepared(git, spec, clone, choose, resume=resume, anew=True)
        except OSError as error:
            raise WorkspaceError(f"the clone cannot be made: {error}") from error


def _prepared(
    git: Git,
    spec: TaskSpec,
    clone: Path,
    choose: Choose | None,
    *,
    resume: bool,
    anew: bool = False,
) -> Workspace:
    if not git.home.tmp.is_dir():
        git.home.tmp.unlink(missing_ok=True)
        make_folders(git.home.tmp)
    with mirrored(git, spec.repo_url, anew=anew) as mirror:
        remote.remember(git.home, mirror.refs)
        branch = choose(mirror) if choose else spec.branch
        place = Workspace(clone, branch, mirror.default, mirror.base_sha, spec.repo_url)
        if not _used(git, mirror, place, spec, resume=resume):
            _make(git, mirror, place, spec)
        return place


def _used(git: Git, mirror: Mirror, place: Workspace, spec: TaskSpec, *, resume: bool) -> bool:
    """Whether the clone that is there could be used. Else it is not there any more."""
    clone = place.clone
    if not os.path.lexists(clone / ".git"):
        return False
    try:
        with lens(git.within(git.settings.git_seconds), clone, unlock=True) as seen:
            _fetch(seen, mirror)
            if resume and _left_by_it(seen, place):
                _point(seen, place)
            else:
                keep_work(seen, f"before-{spec.id.lower()}")
                _start(seen, mirror, place, again=resume)
    except (WorkspaceError, OSError) as error:
        if not mirror.sound():
            raise _DamagedError(str(error)) from error
        kept = set_aside(git.home, clone, spec.id.lower())
        log.warning("clone set aside worker=%s kept=%s: %s", git.home.id, kept, error)
        return False
    return True


def _left_by_it(seen: Lens, place: Workspace) -> bool:
    """Whether no other task was there since: an agent may have made a branch of its own."""
    return seen.branch == place.branch or not is_task_branch(seen.branch)


def _make(git: Git, mirror: Mirror, place: Workspace, spec: TaskSpec) -> None:
    """Beside its place first, so that a clone cut short is never taken for one."""
    part = git.home.tmp / f"clone-{spec.id.lower()}"
    shutil.rmtree(part, ignore_errors=True)
    _make_room(git, place.clone, spec)
    try:
        _clone(git, mirror, part)
        with lens(git, part) as seen:
            _start(seen, mirror, place)
    except WorkspaceError as error:
        shutil.rmtree(part, ignore_errors=True)
        if not mirror.sound():
            raise _DamagedError(str(error)) from error
        raise
    part.rename(place.clone)


def _make_room(git: Git, clone: Path, spec: TaskSpec) -> None:
    """A clone cut short is removed; what else is in the way, or stays, is kept elsewhere."""
    shutil.rmtree(clone, ignore_errors=True)
    for folder in reversed(clone.relative_to(git.home.clones).parents):
        path = git.home.clones / folder
        if os.path.lexists(path) and not path.is_dir():
            set_aside(git.home, path, spec.id.lower())
    if os.path.lexists(clone):
        set_aside(git.home, clone, spec.id.lower())
    make_folders(clone.parent)


def _clone(git: Git, mirror: Mirror, part: Path) -> None:
    """With copies of the mirror's files: what shares them could write into them."""
    with scratch(git.settings, git.home, "clone") as folder:
        write_open(folder / "global", global_config(git))
        what = ("clone", "--quiet", "--no-hardlinks", "--no-checkout", "--template=")
        done = git.inside(
            *(*what, "--origin", "origin", "--", str(mirror.path), str(part)),
            at=git.home.path,
            env={"GIT_CONFIG_GLOBAL": str(folder / "global")},
            readable=(folder, mirror.path),
            bounds=_LONG,
        )
        need(done, "clone")


def _fetch(seen: Lens, mirror: Mirror) -> None:
    what = ("--prune", "--quiet", "--no-write-fetch-head", "--update-shallow")
    done = seen.run("fetch", *what, str(mirror.path), _EVERY, readable=(mirror.path,), bounds=_LONG)
    need(done, "fetch")
    head, wanted = _ORIGIN + "HEAD", _ORIGIN + mirror.default
    try:
        there = read_regular(seen.clone / ".git" / head, _CONFIG_BYTES)
    except OSError:
        there = b""
    if there != f"ref: {wanted}\n".encode():
        seen.need("symbolic-ref", head, wanted)


def _start(seen: Lens, mirror: Mirror, place: Workspace, *, again: bool = False) -> None:
    """The branch as the remote has it, else new from the default branch; a clean tree, and a
    configuration that is ours. All by value: what the clone says of its refs is an agent's word.
    `again`: the task was here before, and goes on from what it committed on top of that.
    """
    branch = HEADS + place.branch
    start = mirror.refs.get(branch, place.base_sha)
    if mirror.part_of_base(start):
        start = place.base_sha  # nothing is on it yet
    if again:
        start = _further(seen, branch, start)
    _keep_commits(seen, place.branch, start)
    theirs = seen.clone / ".git"
    for name in _UNFINISHED:
        _remove(theirs / name)
    for name in ("info", "hooks"):  # which tools expect to be there
        make_folders(theirs / name)
    seen.stand_on(start)
    _put_branches_away(seen, mirror, place.branch)
    seen.need("update-ref", "--no-deref", branch, start)
    seen.need("read-tree", "--reset", "-u", start, bounds=_LONG)
    seen.need("clean", "-ffdq", bounds=_LONG)
    write_private(theirs / "HEAD", f"ref: {branch}\n".encode())
    sha256 = is_sha256(mirror.path)
    write_private(theirs / "config", f"{config(sha256=sha256)}{_origin(place)}".encode())


def _further(seen: Lens, branch: str, start: str) -> str:
    """Where the clone's branch has come to from there."""
    here = seen.run("rev-parse", "--verify", "--quiet", f"{branch}^{{commit}}").out.strip()
    return here if here and seen.run("merge-base", "--is-ancestor", start, here).ok else start


def _keep_commits(seen: Lens, branch: str, start: str) -> None:
    """Commits of an earlier task on this branch that were never pushed stay reachable."""
    old = seen.run("rev-parse", "--verify", "--quiet", f"{HEADS}{branch}^{{commit}}").out.strip()
    if old and not seen.run("merge-base", "--is-ancestor", old, start).ok:
        seen.need("update-ref", "--no-deref", kept_ref(branch, old), old)


def _put_branches_away(seen: Lens, mirror: Mirror, branch: str) -> None:
    """What an earlier agent committed beside its branch stays reachable, and is not taken for work
    of this task. Branches of tasks stay: their changes can be looked at.
    """
    told = seen.need("for-each-ref", "--format=%(objectname) %(refname)", HEADS)
    remote = set(mirror.refs.values())
    orders = ["start"]
    for sha, _, ref in (line.partition(" ") for line in told.splitlines()):
        name = ref.removeprefix(HEADS)
        if name == branch or is_task_branch(name):
            continue
        if sha not in remote:
            orders += ["option no-deref", f"update {kept_ref(name, sha)} {sha}"]
        orders += ["option no-deref", f"delete {ref} {sha}"]
    if len(orders) > 1:
        source = "\n".join([*orders, "commit", ""]).encode()
        feeding = Feeding(source=source)
        seen.need("update-ref", "--stdin", bounds=Bounds(feeding=feeding))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _origin(place: Workspace) -> str:
    url = place.url.replace("\\", "\\\\").replace('"', '\\"')
    return f'[remote "origin"]\n\turl = "{url}"\n\tfetch = {_EVERY}\n'


def _point(seen: Lens, place: Workspace) -> None:
    """For the agent's own git, which goes on with its configuration: what `origin` means."""
    file = ("config", "--file", str(seen.clone / ".git" / "config"))
    names = r"^remote\.origin\.(url|fetch|pushurl)$"
    told = seen.run(*file, "--get-regexp", names).out.splitlines()
    wanted = {"url": place.url, "fetch": _EVERY}
    if sorted(told) == sorted(f"remote.origin.{name} {value}" for name, value in wanted.items()):
        return
    for name, value in wanted.items():
        seen.need(*file, "--replace-all", f"remote.origin.{name}", value)
    seen.run(*file, "--unset-all", "remote.origin.pushurl")
