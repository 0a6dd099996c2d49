"""Before a run: the clone as the remote has it, and the task's branch in it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from cw.errors import TooLargeError, UnavailableError, UnfitHomeError, WorkspaceError
from cw.homes.files import read_regular
from cw.homes.layout import stays_inside
from cw.homes.owner import make_folders
from cw.models import Start, TaskSpec
from cw.names import is_task_branch
from workerhost.clones import lfs, remote
from workerhost.clones.bounded import need
from workerhost.clones.copying import copy
from workerhost.clones.flags import reveal
from workerhost.clones.foreign import sweep_stubs
from workerhost.clones.git import NETWORK_SECONDS, Bounds, Git
from workerhost.clones.host_repositories import occupied
from workerhost.clones.lens import Lens, lens
from workerhost.clones.mirror import KEPT, Mirror, mirrored
from workerhost.clones.renewing import EVERY, at_remote, point, renew
from workerhost.clones.rescuing import rescue
from workerhost.clones.rights import give_rights
from workerhost.clones.setaside import set_aside
from workerhost.clones.submodules import fill
from workerhost.clones.workspace import Workspace, clone_path, keep_work, kept_ref

log = logging.getLogger("workerhost.preparing")

_ORIGIN = "refs/remotes/origin/"
_BUSY_SECONDS = 120.0  # longer than any view lasts
_CONFIG_BYTES = 1 << 20
_PACKED_BYTES = 4 << 20  # of refs beside those of the remote: some 60,000
_REF_BYTES = 100
# What the repository has itself, however large: it was let in by the remote, not left by a run.
_LONG = Bounds(seconds=NETWORK_SECONDS)


Choose = Callable[[Mirror], Start]


class _DamagedError(WorkspaceError):
    """The mirror is."""


def prepare(
    git: Git,
    spec: TaskSpec,
    *,
    resume: bool,
    touched: bool = True,
    choose: Choose | None = None,
) -> Workspace:
    """Clone or fetch, and stand on the task's branch. What the remote has is written down, for the
    comparison after the run. Raises WorkspaceError.

    A resumed task finds its clone as it was left, if an agent of its own has `touched` it.
    Otherwise whatever lies about uncommitted is kept as a commit on a ref below refs/cw/wip before
    the clone is made clean. A clone that cannot be used is kept beside, and a new one made.
    `choose`: where the task began, now that the remote's branches are known; None: on the one that
    it names.
    """
    clone = clone_path(git, spec)
    for path in (clone, git.home.tmp):
        if not stays_inside(git.home, path):
            raise UnfitHomeError(f"{path} leads out of the worker's HOME: not used")
    with occupied(git.settings, git.home, _BUSY_SECONDS, git.leave):
        try:
            return _prepared(git, spec, clone, choose, resume=resume, touched=touched)
        except _DamagedError:
            return _prepared(git, spec, clone, choose, resume=resume, touched=touched, anew=True)
        except OSError as error:
            raise UnfitHomeError(f"the clone cannot be made: {error}") from error


def _prepared(
    git: Git,
    spec: TaskSpec,
    clone: Path,
    choose: Choose | None,
    *,
    resume: bool,
    touched: bool,
    anew: bool = False,
) -> Workspace:
    if not git.home.tmp.is_dir():
        git.home.tmp.unlink(missing_ok=True)
        make_folders(git.home.tmp)
    with mirrored(git, spec.repo_url, anew=anew) as mirror:
        remote.remember(git.home, mirror.refs)
        began = choose(mirror) if choose else None
        branch = began.branch if began else spec.branch
        place = Workspace(clone, branch, mirror.default, mirror.base_sha, spec.repo_url)
        place = replace(place, carried=_carried(mirror, spec, branch, began))
        missing: list[str] = []
        place = replace(place, lfs=lfs.check(mirror, place.carried or at_remote(mirror, place)))
        files = _files_of_lfs(mirror, place, missing) if place.lfs else set()
        give_rights(git, clone)
        kept = _renewed(git, mirror, place, spec, files, missing, resume=resume, touched=touched)
        if kept is not None:
            _make(git, mirror, place, spec, files, missing)
        place = replace(place, notes=tuple(missing), missing=tuple(missing))
        return _rescued(git, kept, place, spec) if kept else place


def _files_of_lfs(mirror: Mirror, place: Workspace, missing: list[str]) -> set[str]:
    """Raises UnavailableError."""
    try:
        return lfs.fetch(mirror, place.url, place.carried or at_remote(mirror, place))
    except UnavailableError:
        raise
    except WorkspaceError as error:
        missing.append(error.line())
        return set()


def _carried(mirror: Mirror, spec: TaskSpec, branch: str, began: Start | None) -> str:
    """What no run has pushed yet: this task's own, from another HOME, or what it began with."""
    kept = mirror.kept_of(spec.branch_name(1)).get(branch, "")
    found = (sha for sha in (kept, began.carried if began else "") if sha)
    return next((sha for sha in found if mirror.goes_on(sha, branch)), "")


def _renewed(
    git: Git,
    mirror: Mirror,
    place: Workspace,
    spec: TaskSpec,
    files: Collection[str],
    missing: list[str],
    *,
    resume: bool,
    touched: bool,
) -> str | None:
    """None: the clone that is there can be used. Else it is not there any more: where it is kept,
    if there was one. What could not be had is added to `missing`.
    """
    clone, name = place.clone, spec.id.lower()
    if not os.path.lexists(clone / ".git"):
        return ""
    try:
        with lens(git.within(git.settings.git_seconds), clone, unlock=True) as seen:
            _check_refs(seen, mirror)
            _fetch(seen, mirror, spec)
            if resume and touched and _left_by_it(seen, place):
                sweep_stubs(seen)
                reveal(seen)
                point(seen, mirror, place)
            else:
                keep_work(seen, f"before-{name}")
                lfs.hand_over(seen, mirror, files)
                renew(seen, mirror, place, name, again=resume)
                missing += filter(None, (fill(seen, place.url),))
    except (WorkspaceError, OSError) as error:
        if not mirror.sound():
            raise _DamagedError(str(error)) from error
        kept = set_aside(git.home, clone, name)
        if not kept:
            raise UnfitHomeError(f"{clone} cannot be used, nor moved away: {error}") from error
        log.warning("clone set aside worker=%s kept=%s: %s", git.home.id, kept, error)
        return kept
    return None


def _rescued(git: Git, kept: str, place: Workspace, spec: TaskSpec) -> Workspace:
    refs = rescue(git.within(git.settings.git_seconds), Path(kept), place.clone, spec.id.lower())
    what = f"; what only it had is in the new one: {', '.join(refs)}" if refs else ""
    said = f"the worker's clone could not be used and is kept in {kept}{what}"
    return replace(place, notes=(said, *place.notes), rescued=tuple(refs))


def _left_by_it(seen: Lens, place: Workspace) -> bool:
    """Whether no other task was there since: an agent may have made a branch of its own."""
    return seen.branch == place.branch or not is_task_branch(seen.branch)


def _make(
    git: Git,
    mirror: Mirror,
    place: Workspace,
    spec: TaskSpec,
    files: Collection[str],
    missing: list[str],
) -> None:
    """Beside its place first, so that a clone cut short is never taken for one."""
    part = git.home.tmp / f"clone-{spec.id.lower()}"
    shutil.rmtree(part, ignore_errors=True)
    _make_room(git, place.clone, spec)
    try:
        copy(git, mirror, part)
        with lens(git, part) as seen:
            _fetch_kept(seen, mirror, spec)
            lfs.hand_over(seen, mirror, files)
            renew(seen, mirror, place, spec.id.lower())
            missing += filter(None, (fill(seen, place.url),))
    except WorkspaceError as error:
        shutil.rmtree(part, ignore_errors=True)
        if not mirror.sound():
            raise _DamagedError(str(error)) from error
        raise UnfitHomeError(f"the clone cannot be made: {error.message}") from error
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


def _check_refs(seen: Lens, mirror: Mirror) -> None:
    """A fetch into a million branches takes a minute. Raises TooLargeError."""
    try:
        size = (seen.git_dir / "packed-refs").lstat().st_size
    except OSError:
        return
    if size > _PACKED_BYTES + 4 * _REF_BYTES * len(mirror.refs):
        raise TooLargeError(f"{seen.clone} has more branches than anybody makes")


def _fetch_kept(seen: Lens, mirror: Mirror, spec: TaskSpec) -> None:
    first = spec.branch_name(1)
    specs = [
        f"+{KEPT}{first}/{name}:{kept_ref(name, sha)}"
        for name, sha in mirror.kept_of(first).items()
    ]
    if specs:
        what = ("fetch", "--quiet", "--no-write-fetch-head", str(mirror.path), *specs)
        need(seen.run(*what, readable=(mirror.path,), bounds=_LONG), "fetch")


def _fetch(seen: Lens, mirror: Mirror, spec: TaskSpec) -> None:
    _fetch_kept(seen, mirror, spec)
    what = ("--prune", "--quiet", "--no-write-fetch-head", "--update-shallow")
    done = seen.run("fetch", *what, str(mirror.path), EVERY, readable=(mirror.path,), bounds=_LONG)
    need(done, "fetch")
    head, wanted = _ORIGIN + "HEAD", _ORIGIN + mirror.default
    try:
        there = read_regular(seen.clone / ".git" / head, _CONFIG_BYTES)
    except OSError:
        there = b""
    if there != f"ref: {wanted}\n".encode():
        seen.need("symbolic-ref", head, wanted)
