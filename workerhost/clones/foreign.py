"""What lies in a clone and is no part of its own tree: repositories within it, submodules, and what
claude's sandbox leaves when it is killed.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cw.errors import WorkspaceError
from cw.homes.files import read_regular
from cw.homes.owner import make_folders
from workerhost.clones.flags import Names
from workerhost.clones.git import Bounds
from workerhost.clones.lens import Lens, lens
from workerhost.clones.setaside import set_aside

_MANY = 10_000
_GITLINK = b"160000 "
# Of submodules only which commit they are at: within them git (2.39) reads their configuration.
STATUS = ("status", "--porcelain", "--ignore-submodules=dirty")
UNTRACKED = ("ls-files", "--others", "--exclude-standard", "-z")
# Where claude's sandbox (2.1.330) binds /dev/null over what an agent must not write: bubblewrap
# makes an empty file without a write bit for each that is not there, and a kill leaves it.
_STUB_FOLDERS = (b"", b".claude", b".config")


def sweep_stubs(seen: Lens) -> None:
    """Untracked, empty and read-only, where that sandbox makes them: nobody's work. One of them
    (`.git/commondir`) keeps git from reading the clone.
    """
    found: list[bytes] = []
    if _may_have_stubs(seen.clone):
        seen.run(*UNTRACKED, bounds=Names(_picked(found, _maybe_stub)).bounds)
    for path in (*(seen.clone / os.fsdecode(name) for name in found), *seen.git_dir.iterdir()):
        if _is_stub(path):
            path.unlink(missing_ok=True)


def _may_have_stubs(clone: Path) -> bool:
    """Whether git need be asked which of them are untracked. Follows no link."""
    for folder in (clone / os.fsdecode(name) for name in _STUB_FOLDERS):
        with suppress(OSError), os.scandir(folder) as entries:
            if not folder.is_symlink() and any(
                number >= _MANY or _is_stub(Path(entry.path))
                for number, entry in enumerate(entries)
            ):
                return True
    return False


def _maybe_stub(name: bytes) -> bool:
    return name.rpartition(b"/")[0] in _STUB_FOLDERS


def _is_stub(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and not status.st_size and not status.st_mode & 0o222


def clear_foreign(seen: Lens, name: str) -> None:
    """Repositories within the clone are moved to `set-aside/`, as `git clean` would take their work
    along; submodules that have nothing of their own are emptied, as in a new clone. Raises
    WorkspaceError.
    """
    nested: list[bytes] = []
    seen.run(*UNTRACKED, bounds=Names(_picked(nested, lambda row: row.endswith(b"/"))).bounds)
    paths = _submodules(seen)
    for path in (*(seen.clone / os.fsdecode(folder) for folder in nested), *paths):
        if _populated(seen, path):
            _put_away(seen, path, name)
    modules = seen.clone / ".git" / "modules"
    if any(modules.rglob("HEAD")):  # of submodules that are not there any more
        set_aside(seen.git.home, modules, name)
    shutil.rmtree(modules, ignore_errors=True)
    for path in paths:
        if not os.path.lexists(path):
            make_folders(path)


def is_link(row: bytes) -> bool:
    """Whether this row of `ls-files --stage` is a submodule."""
    return row.startswith(_GITLINK)


def _submodules(seen: Lens) -> list[Path]:
    links: list[bytes] = []
    listing = Names(_picked(links, is_link))
    seen.need("ls-files", "--stage", "-z", bounds=listing.bounds)
    return [seen.clone / os.fsdecode(row.partition(b"\t")[2]) for row in links]


def _picked(found: list[bytes], wanted: Callable[[bytes], bool]) -> Callable[[bytes], None]:
    def take(row: bytes) -> None:
        if wanted(row) and len(found) < _MANY:
            found.append(row)

    return take


def _populated(seen: Lens, path: Path) -> bool:
    """No link is followed: an agent may have put one on the way."""
    inside = path.resolve().is_relative_to(seen.clone.resolve()) and not path.is_symlink()
    return inside and path.is_dir() and any(path.iterdir())


def _put_away(seen: Lens, path: Path, name: str) -> None:
    git_dir = _git_dir(seen, path)
    if git_dir and _nothing_of_its_own(seen, path, git_dir):
        for folder in (path, git_dir):
            shutil.rmtree(folder, ignore_errors=True)
        return
    kept = set_aside(seen.git.home, path, name)
    if not kept:
        raise WorkspaceError(f"{path} could not be moved away")
    if git_dir and git_dir != path / ".git":  # a submodule's: what it has is there
        target = Path(kept, ".git")
        target.unlink(missing_ok=True)
        git_dir.rename(target)
        seen.run("config", "--file", str(target / "config"), "--unset-all", "core.worktree")


def _git_dir(seen: Lens, path: Path) -> Path | None:
    """Its own folder there, or the one that it has as a submodule; None for anything else."""
    inner = path / ".git"
    if inner.is_dir() and not inner.is_symlink():
        return inner
    try:
        text = read_regular(inner, 4096).decode()
    except (OSError, UnicodeDecodeError):
        return None
    found = Path(os.path.normpath(path / text.removeprefix("gitdir:").strip()))
    modules = seen.clone / ".git" / "modules"
    inside = found.is_relative_to(modules) and found != modules
    return found if inside and found.resolve() == found.absolute() and found.is_dir() else None


def _nothing_of_its_own(seen: Lens, path: Path, git_dir: Path) -> bool:
    """Nothing uncommitted, and no commit that its remote did not have; nor in those within it."""
    try:
        with lens(seen.git, path, git_dir=git_dir, unlock=True) as inner:
            status = inner.run(*STATUS, bounds=Bounds(text=1))
            own = ("rev-list", "-n", "1", "HEAD", "--all", "--not", "--remotes", "--")
            if not status.ok or status.out or inner.need(*own):
                return False
            within = [module for module in _submodules(inner) if _populated(inner, module)]
        return all(
            (found := _git_dir(seen, module)) and _nothing_of_its_own(seen, module, found)
            for module in within
        )
    except (WorkspaceError, OSError):
        return False
