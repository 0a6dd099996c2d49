"""Before a run: the clone as the remote has it, and the task's branch in it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from cw.errors import UnavailableError, UnfitHomeError, WorkspaceError
from cw.homes.layout import stays_inside
from cw.homes.owner import make_folders
from cw.models import Start, TaskSpec
from cw.names import is_task_branch
from workerhost.clones import lfs, remote
from workerhost.clones.copying import copy
from workerhost.clones.fetching import check_refs, fetch, fetch_kept
from workerhost.clones.flags import reveal
from workerhost.clones.foreign import sweep_stubs
from workerhost.clones.git import Git
from workerhost.clones.host_repositories import occupied
from workerhost.clones.lens import Lens, lens
from workerhost.clones.mirror import Mirror, mirrored
from workerhost.clones.renewing import at_remote, point, renew
from workerhost.clones.rescuing import rescue
from workerhost.clones.rights import give_rights
from workerhost.clones.setaside import set_aside
from workerhost.clones.submodules import fill
from workerhost.clones.workspace import Workspace, clone_path, keep_work

log = logging.getLogger("workerhost.preparing")

_BUSY_SECONDS = 120.0  # longer than any view lasts

Choose = Callable[[Mirror], Start]


class _DamagedError(WorkspaceError):
    """The mirror is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """See `prepare`."""

    git: Git
    spec: TaskSpec
    choose: Choose | None
    resume: bool
    touched: bool

    @property
    def name(self) -> str:
        """What is kept of the task is called by it."""
        return self.spec.id.lower()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the clone is made of. `files`: those in Git LFS. `missing`: what could not be had, in
    words; it grows.
    """

    mirror: Mirror
    place: Workspace
    files: Collection[str]
    missing: list[str]


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
    asked = _Asked(git=git, spec=spec, choose=choose, resume=resume, touched=touched)
    clone = clone_path(git, spec)
    for path in (clone, git.home.tmp):
        if not stays_inside(git.home, path):
            raise UnfitHomeError(f"{path} leads out of the worker's HOME: not used")
    with occupied(git.settings, git.home, _BUSY_SECONDS, git.leave):
        try:
            return _prepared(asked, clone)
        except _DamagedError:
            return _prepared(asked, clone, anew=True)
        except OSError as error:
            raise UnfitHomeError(f"the clone cannot be made: {error}") from error


def _prepared(asked: _Asked, clone: Path, *, anew: bool = False) -> Workspace:
    git, spec, choose = asked.git, asked.spec, asked.choose
    if not git.home.tmp.is_dir():
        git.home.tmp.unlink(missing_ok=True)
        make_folders(git.home.tmp)
    with mirrored(git, spec.repo_url, anew=anew) as mirror:
        remote.remember(git.home, mirror.refs)
        began = choose(mirror) if choose else None
        branch = began.branch if began else spec.branch
        place = Workspace(clone, branch, mirror.default, mirror.base_sha, spec.repo_url)
        place = replace(place, carried=_carried(mirror, spec, branch, began))
        place = replace(place, lfs=lfs.check(mirror, place.carried or at_remote(mirror, place)))
        missing: list[str] = []
        files = _files_of_lfs(mirror, place, missing) if place.lfs else set()
        parts = _Parts(mirror, place, files, missing)
        give_rights(git, clone)
        kept = _renewed(asked, parts)
        if kept is not None:
            _make(asked, parts)
        place = replace(place, notes=tuple(missing), missing=tuple(missing))
        return _rescued(asked, kept, place) if kept else place


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


def _renewed(asked: _Asked, parts: _Parts) -> str | None:
    """None: the clone that is there can be used. Else it is not there any more: where it is kept,
    if there was one.
    """
    git, mirror, place = asked.git, parts.mirror, parts.place
    clone, name = place.clone, asked.name
    if not os.path.lexists(clone / ".git"):
        return ""
    try:
        with lens(git.within(git.settings.git_seconds), clone, unlock=True) as seen:
            check_refs(seen, mirror)
            fetch(seen, mirror, asked.spec)
            if asked.resume and asked.touched and _left_by_it(seen, place):
                sweep_stubs(seen)
                reveal(seen)
                point(seen, mirror, place)
            else:
                keep_work(seen, f"before-{name}")
                _on_its_branch(seen, asked, parts, again=asked.resume)
    except (WorkspaceError, OSError) as error:
        if not mirror.sound():
            raise _DamagedError(str(error)) from error
        kept = set_aside(git.home, clone, name)
        if not kept:
            raise UnfitHomeError(f"{clone} cannot be used, nor moved away: {error}") from error
        log.warning("clone set aside worker=%s kept=%s: %s", git.home.id, kept, error)
        return kept
    return None


def _on_its_branch(seen: Lens, asked: _Asked, parts: _Parts, *, again: bool = False) -> None:
    lfs.hand_over(seen, parts.mirror, parts.files)
    renew(seen, parts.mirror, parts.place, asked.name, again=again)
    parts.missing.extend(filter(None, (fill(seen, parts.place.url),)))


def _rescued(asked: _Asked, kept: str, place: Workspace) -> Workspace:
    git = asked.git
    refs = rescue(git.within(git.settings.git_seconds), Path(kept), place.clone, asked.name)
    what = f"; what only it had is in the new one: {', '.join(refs)}" if refs else ""
    said = f"the worker's clone could not be used and is kept in {kept}{what}"
    return replace(place, notes=(said, *place.notes), rescued=tuple(refs))


def _left_by_it(seen: Lens, place: Workspace) -> bool:
    """Whether no other task was there since: an agent may have made a branch of its own."""
    return seen.branch == place.branch or not is_task_branch(seen.branch)


def _make(asked: _Asked, parts: _Parts) -> None:
    """Beside its place first, so that a clone cut short is never taken for one."""
    git, mirror, clone = asked.git, parts.mirror, parts.place.clone
    part = git.home.tmp / f"clone-{asked.name}"
    shutil.rmtree(part, ignore_errors=True)
    _make_room(asked, clone)
    try:
        copy(git, mirror, part)
        with lens(git, part) as seen:
            fetch_kept(seen, mirror, asked.spec)
            _on_its_branch(seen, asked, parts)
    except WorkspaceError as error:
        shutil.rmtree(part, ignore_errors=True)
        if not mirror.sound():
            raise _DamagedError(str(error)) from error
        raise UnfitHomeError(f"the clone cannot be made: {error.message}") from error
    part.rename(clone)


def _make_room(asked: _Asked, clone: Path) -> None:
    """A clone cut short is removed; what else is in the way, or stays, is kept elsewhere."""
    git = asked.git
    shutil.rmtree(clone, ignore_errors=True)
    for folder in reversed(clone.relative_to(git.home.clones).parents):
        path = git.home.clones / folder
        if os.path.lexists(path) and not path.is_dir():
            set_aside(git.home, path, asked.name)
    if os.path.lexists(clone):
        set_aside(git.home, clone, asked.name)
    make_folders(clone.parent)
