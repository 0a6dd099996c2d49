"""Submodules of a clone, each at the commit that its repository wants. What `.gitmodules` says is
data of whoever wrote it: names, paths and URLs are taken from it, and nothing that it would run.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from secrets import token_hex

from cw.credentials.gitconfig import written
from cw.errors import CwError, LostServerError, WorkspaceError
from cw.homes.files import read_regular, write_private
from cw.homes.owner import inherit, make_folders
from workerhost.clones.copying import copy
from workerhost.clones.done import need
from workerhost.clones.flags import Names
from workerhost.clones.git import NETWORK_SECONDS, Bounds, Git
from workerhost.clones.lens import Lens, config, is_sha256, lens
from workerhost.clones.mirror import Mirror, mirrored
from workerhost.clones.modulesurl import allowed, resolved, same_place

_GITLINK = b"160000 "
_MOST = 50  # of one clone, nested ones included
_DEEP = 3
_ONE_SECONDS = 300.0
_ALL_SECONDS = 900.0
_CONFIG_BYTES = 1 << 20
_NAMED = 5  # that could not be had, with the reason
_WORDS = 200  # characters of each reason
_LONG = Bounds(seconds=NETWORK_SECONDS)
_WANTED = "refs/cw/wanted/"  # of the mirror: commits on no branch
_EVERY = "+refs/heads/*:refs/remotes/origin/*"


@dataclass(frozen=True, slots=True)
class _Module:
    """`url`: as `.gitmodules` has it."""

    path: str
    sha: str
    name: str
    url: str


@dataclass(slots=True)
class _Filling:
    """What is left of the bounds, and what could not be had."""

    until: float
    room: int = _MOST
    said: list[str] | None = None

    def take(self) -> float:
        """Seconds for the next. Raises WorkspaceError."""
        left = self.until - time.monotonic()
        if self.room <= 0:
            raise WorkspaceError(f"there are more than {_MOST}")
        if left <= 0:
            raise WorkspaceError(f"all together took more than {_ALL_SECONDS:.0f} s")
        self.room -= 1
        return min(left, _ONE_SECONDS)


def fill(seen: Lens, url: str) -> str:
    """In a clone that is as if new. What there is to say of those that are empty; nothing fails for
    them. `url`: of the clone's repository. Raises HostLeavesError, LostServerError.
    """
    said: list[str] = []
    _fill(seen, url, "", _Filling(time.monotonic() + _ALL_SECONDS, said=said), 1)
    if not said:
        return ""
    more = [f"{len(said) - _NAMED} more"] if len(said) > _NAMED else []
    return f"submodules that are empty here: {'; '.join([*said[:_NAMED], *more])}"


def _fill(seen: Lens, url: str, above: str, filling: _Filling, depth: int) -> None:
    said = filling.said if filling.said is not None else []
    try:
        modules = _modules(seen)
    except LostServerError:
        raise
    except (CwError, OSError) as error:
        said.append(f"those of {above or 'the repository'}: {_why(error)}")
        return
    for module in modules:
        shown = f"{above}{module.path}"
        try:
            if depth > _DEEP:
                raise WorkspaceError(f"it lies {depth} deep")
            found = _checked(module, url)
            with _brought(seen.git, url, found, filling.take()) as mirror:
                git_dir = _placed(seen, mirror, module, found)
        except LostServerError:
            raise
        except (CwError, OSError) as error:
            said.append(f"{shown}: {_why(error)}")
            continue
        with lens(seen.git, seen.clone / module.path, git_dir=git_dir) as inner:
            _fill(inner, found, f"{shown}/", filling, depth + 1)


def _why(error: CwError | OSError) -> str:
    return " ".join(str(error).split())[:_WORDS]


def _modules(seen: Lens) -> list[_Module]:
    """Those of the index. Raises WorkspaceError."""
    rows: list[bytes] = []
    listing = Names(lambda row: rows.append(row) if row.startswith(_GITLINK) else None)
    seen.need("ls-files", "--stage", "-z", bounds=listing.bounds)
    if not rows:
        return []
    told = seen.run("config", "--blob", ":.gitmodules", "--null", "--list")
    names: dict[str, dict[str, str]] = {}
    for pair in told.out.split("\0") if told.ok else []:
        key, _, value = pair.partition("\n")
        section, _, rest = key.partition(".")
        name, _, what = rest.rpartition(".")
        if section == "submodule" and what in {"path", "url"}:
            names.setdefault(name, {})[what] = value
    by_path = {about.get("path", ""): (name, about) for name, about in names.items()}
    found = []
    for row in rows:
        about, _, raw = row.partition(b"\t")
        path = os.fsdecode(raw)
        name, known = by_path.get(path, ("", {}))
        found.append(_Module(path, about.split(b" ")[1].decode(), name, known.get("url", "")))
    return found


def _checked(module: _Module, url: str) -> str:
    """Its whole URL. Raises WorkspaceError."""
    if not (module.name and module.url):
        raise WorkspaceError(".gitmodules does not say where it is")
    if not (_plain(module.path) and _plain(module.name)):
        raise WorkspaceError("its name or path would lead elsewhere")
    return resolved(url, module.url)


def _plain(path: str) -> bool:
    """Stays where it is put, whatever made the name. As git's own check, and no `.git` in it."""
    parts = path.replace("\\", "/").split("/")
    bad = {"", ".", "..", ".git"}
    return not (
        path.startswith("-")
        or any(part.lower().rstrip(" .") in bad or part in bad for part in parts)
        or any(ord(char) < ord(" ") for char in path)
        or PurePosixPath(path).is_absolute()
    )


@contextmanager
def _brought(git: Git, base: str, url: str, seconds: float) -> Iterator[Mirror]:
    """With the login only where the repository itself is. Raises CwError."""
    allowed(git.settings, git.env, git.url or base, url)
    nameless = not same_place(base, url)
    there = replace(git, origin=None, nameless=nameless, patience=seconds, budget=None)
    with mirrored(there, url) as mirror:
        yield mirror


def _placed(seen: Lens, mirror: Mirror, module: _Module, url: str) -> Path:
    """Where its `.git` is. Raises CwError, OSError."""
    path, git_dir = seen.clone / module.path, seen.git_dir / "modules" / module.name
    inside = path.resolve().is_relative_to(seen.clone.resolve()) and not path.is_symlink()
    if not inside or not path.is_dir() or any(path.iterdir()) or os.path.lexists(git_dir):
        raise WorkspaceError("something is in its place")
    commit = mirror.git.own("cat-file", "-e", f"{module.sha}^{{commit}}", at=mirror.path)
    wanted = "" if commit.ok else _asked_for(mirror, module.sha, url)
    part = seen.git.home.tmp / f"module-{token_hex(4)}"
    try:
        copy(seen.git, mirror, part)
        make_folders(git_dir.parent)
        (part / ".git").rename(git_dir)
        _write(mirror, module, path, git_dir, url)
        with lens(seen.git, path, git_dir=git_dir) as inner:
            if wanted:
                spec = f"{wanted}:refs/remotes/origin/wanted"
                what = ("fetch", "--quiet", "--no-write-fetch-head", str(mirror.path), spec)
                need(inner.run(*what, readable=(mirror.path,), bounds=_LONG), "fetch")
            inner.need("read-tree", "--reset", "-u", module.sha, bounds=_LONG)
    except (CwError, OSError):
        for left in (git_dir, path):
            shutil.rmtree(left, ignore_errors=True)
        make_folders(path)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _known(seen, module, url)
    return git_dir


def _asked_for(mirror: Mirror, sha: str, url: str) -> str:
    """A commit that no branch has: some remotes give it by its name. Raises WorkspaceError."""
    ref = f"{_WANTED}{sha}"
    what = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", url, f"+{sha}:{ref}")
    if not mirror.git.remote(*what, at=mirror.path).ok:
        raise WorkspaceError(f"{url} does not have its commit {sha[:12]}")
    return ref


def _write(mirror: Mirror, module: _Module, path: Path, git_dir: Path, url: str) -> None:
    """As `git submodule` lays them out."""
    origin = written((("remote.origin.url", url), ("remote.origin.fetch", _EVERY)))
    tree = written((("core.worktree", os.path.relpath(path, git_dir)),))
    text = f"{config(sha256=is_sha256(mirror.path))}{tree}{origin}"
    write_private(git_dir / "config", text.encode())
    write_private(git_dir / "HEAD", f"{module.sha}\n".encode())
    (path / ".git").write_text(f"gitdir: {os.path.relpath(git_dir, path)}\n", "utf-8")
    inherit(path / ".git")


def _known(seen: Lens, module: _Module, url: str) -> None:
    """To the clone's own git, as after `git submodule init`."""
    place = seen.git_dir / "config"
    text = read_regular(place, _CONFIG_BYTES).decode("utf-8", "replace")
    key = f"submodule.{module.name}"
    more = written(((f"{key}.active", "true"), (f"{key}.url", url)))
    write_private(place, f"{text}{more}".encode())
