"""A mirror of each repository, the host's own: where the login's git fetches into, and what clones
are made of. No agent's git ever writes there.

It is used only by who has just been let in by the remote: workers may have different tokens.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cw.errors import CwError, UnavailableError, WorkspaceError
from workerhost.clones import remote
from workerhost.clones.bare import make_bare
from workerhost.clones.done import need
from workerhost.clones.git import NETWORK_SECONDS, Bounds, Git
from workerhost.clones.host_repositories import folder, locked, write_open
from workerhost.clones.lens import SHA256_DIGITS

log = logging.getLogger("workerhost.mirror")

HEADS = "refs/heads/"
KEPT = "refs/cw/kept/"  # commits that the remote did not take: see `undelivered`
_SPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_UNUSED_SECONDS = 30 * 86400.0
_FREE_SECONDS = 60.0
_LOOSE_REFS = 500  # more new ones are packed into one file
_LOOSE_OBJECTS = 3000
_PACKS = 40
_TIDY = ("-c", f"gc.auto={_LOOSE_OBJECTS}", "-c", f"gc.autoPackLimit={_PACKS}", "gc", "--auto")


@dataclass(frozen=True, slots=True)
class Mirror:
    """`refs`: the remote's branches and tags, which it has all; `default`: the name of its default
    branch. `kept`: commits that it did not take, below the first name of their issue's branches and
    that of their own.
    """

    git: Git
    path: Path
    default: str
    refs: dict[str, str]
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def base_sha(self) -> str:
        return self.refs[HEADS + self.default]

    def part_of_base(self, sha: str) -> bool:
        return self._follows(self.base_sha, sha)

    def kept_of(self, first: str) -> dict[str, str]:
        """Of one issue: branch to head, without what was merged by now."""
        found = {ref: sha for ref, sha in self.kept.items() if ref.startswith(f"{first}/")}
        return {
            ref.removeprefix(f"{first}/"): sha
            for ref, sha in found.items()
            if not self.part_of_base(sha)
        }

    def goes_on(self, sha: str, branch: str) -> bool:
        """Whether nothing that the remote's branch has is missing in this commit, which is here."""
        there = self.refs.get(HEADS + branch, "")
        if not self.git.own("cat-file", "-e", f"{sha}^{{commit}}", at=self.path).ok:
            return False
        return not there or self._follows(sha, there) or self.part_of_base(there)

    def _follows(self, sha: str, earlier: str) -> bool:
        if sha == earlier:
            return True
        return self.git.own("merge-base", "--is-ancestor", earlier, sha, at=self.path).ok

    def sound(self) -> bool:
        """Whether it has all that it should. Reads all of it: to be asked when something failed."""
        asked = ("fsck", "--connectivity-only", "--no-dangling", "--no-reflogs")
        return self.git.own(*asked, at=self.path, bounds=Bounds(seconds=NETWORK_SECONDS)).ok


def mirror_path(git: Git, url: str) -> Path:
    return folder(git.settings, "mirrors") / hashlib.sha256(url.encode()).hexdigest()[:24]


@contextmanager
def mirrored(git: Git, url: str, *, anew: bool = False) -> Iterator[Mirror]:
    """As the remote is now; it stays there as long as it is used. `anew`: what is there is damaged.
    Raises UnavailableError for what may pass by itself, else WorkspaceError.
    """
    path = mirror_path(git, url)
    with locked(_lock(git, path, "fetch"), seconds=NETWORK_SECONDS, leave=git.leave):
        if anew:
            _throw_away(git, path)
        found = _brought(git, path, url)
    with used(git, path):
        yield found


@contextmanager
def used(git: Git, path: Path) -> Iterator[None]:
    """Nothing is taken out of it meanwhile."""
    with locked(_lock(git, path, "use"), seconds=_FREE_SECONDS, shared=True) as handle:
        os.utime(handle)
        yield


def _lock(git: Git, path: Path, what: str) -> Path:
    return folder(git.settings, "locks") / f"mirror-{path.name}.{what}"


def _throw_away(git: Git, path: Path) -> None:
    log.warning("mirror is damaged and made again path=%s", path)
    with locked(_lock(git, path, "use"), seconds=_FREE_SECONDS):
        shutil.rmtree(path, ignore_errors=True)


def _brought(git: Git, path: Path, url: str) -> Mirror:
    found = remote.find(git, url)
    try:
        return _updated(git, path, url, found)
    except (UnavailableError, WorkspaceError) as error:
        if _somewhere_else(error) or not path.exists() or Mirror(git, path, "", {}).sound():
            raise
        _throw_away(git, path)
        return _updated(git, path, url, found)


def _somewhere_else(error: CwError) -> bool:
    """What failed lies at the remote, or on the way to it."""
    return isinstance(error, UnavailableError) and not isinstance(error, remote.UnclearError)


def _updated(git: Git, path: Path, url: str, found: remote.Found) -> Mirror:
    if not (path / "HEAD").is_file():
        _forget_unused(git)
        sha256 = len(found.refs[HEADS + found.default]) == SHA256_DIGITS
        make_bare(path, sha256=sha256)
    before, kept = _refs(git, path)
    if before != found.refs:
        what = ("--quiet", "--prune", "--no-write-fetch-head", "--update-shallow", url, *_SPECS)
        remote.need(git.remote("fetch", *what, at=path))
        found = remote.Found(found.default, _refs(git, path)[0])
        if HEADS + found.default not in found.refs:
            raise WorkspaceError(f"the default branch {found.default} was not fetched")
        _tidy(git, path, len(found.refs) - len(before))
    head = f"ref: {HEADS}{found.default}\n"
    if (path / "HEAD").read_text("utf-8") != head:
        write_open(path / "HEAD", head)
    return Mirror(git, path, found.default, found.refs, kept)


def _refs(git: Git, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """As the remote had them, and what is kept."""
    asked = ("for-each-ref", "--format=%(objectname)\t%(refname)", "refs/heads", "refs/tags", KEPT)
    told = need(git.own(*asked, at=path, bounds=remote.MANY), "for-each-ref")
    rows = (line.partition("\t") for line in told.splitlines())
    kept = {ref.removeprefix(KEPT): sha for sha, _, ref in rows if ref.startswith(KEPT)}
    return remote.listed(told), kept


def _tidy(git: Git, path: Path, more: int) -> None:
    """Only while nobody uses it, as it takes out what nothing refers to any more."""
    if more > _LOOSE_REFS:
        git.own("pack-refs", "--all", at=path)
    handle = os.open(_lock(git, path, "use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _untidy(path):
            git.own(*_TIDY, "--quiet", at=path, bounds=Bounds(seconds=NETWORK_SECONDS))
    except BlockingIOError:
        return
    finally:
        os.close(handle)


def _untidy(path: Path) -> bool:
    """As `git gc --auto` finds it, without asking: by one of the 256 folders of loose objects, and
    the packs.
    """
    loose, packs = path / "objects" / "17", path / "objects" / "pack"
    many = len(list(loose.iterdir())) if loose.is_dir() else 0
    return many * 256 > _LOOSE_OBJECTS or len(list(packs.glob("*.pack"))) > _PACKS


def _forget_unused(git: Git) -> None:
    """Those of repositories that nobody worked on for a month."""
    for path in folder(git.settings, "mirrors").iterdir():
        lock = _lock(git, path, "use")
        if lock.exists() and lock.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
            lock.unlink(missing_ok=True)
