"""A git repository on this machine, as git reads it: which folders its refs and objects are in.

A working tree's `.git` may be a file that leads elsewhere (linked worktrees, submodules), a
repository may borrow the objects of others (`git clone --shared` and `--reference`), and tools make
links of its parts. Whoever shows the repository to git somewhere else has to show all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from cw.errors import BadInputError

_PARTS = ("HEAD", "config", "info", "logs", "modules", "objects", "packed-refs", "refs", "shallow")
_ETC = Path("/etc")  # agents of a host that is root see a copy of what is for all
_DEEPEST = 5  # alternates of alternates, as git 2.39 follows them
_POINTER_BYTES = 1 << 20
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@dataclass(frozen=True, slots=True)
class Source:
    """`pointer`: the file in the working tree that leads there, if one does. `folders`: where git
    writes. `borrowed`: folders of objects that it only reads.
    """

    pointer: tuple[Path, ...]
    folders: tuple[Path, ...]
    borrowed: tuple[Path, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.pointer, *self.folders, *self.borrowed)


def refuse_inside(path: Path, source: Source, apart: tuple[Path, ...]) -> None:
    """Raises BadInputError for a repository that lies in a folder that is to stay `apart` from
    agents, or that would show it to them.
    """
    for part, folder in product(source.all, (*apart, _ETC)):
        place, kept = part.resolve(), folder.resolve()
        if place.is_relative_to(kept):
            raise BadInputError(
                f"{path} has parts in {folder}, which no agent is shown as a repository",
                hint="Give the repository that it was cloned from, or a clone elsewhere",
            )
        if kept.is_relative_to(place):
            raise BadInputError(
                f"{path} would show {folder} to agents",
                hint="Give a clone of it that lies elsewhere",
            )


def is_repository(path: Path) -> bool:
    """Whether it looks like one. Raises OSError."""
    inner = path / ".git"
    return inner.exists() or inner.is_symlink() or _holds_refs(path)


def read_source(path: Path) -> Source:
    """Raises BadInputError, in words for whoever named `path`."""
    try:
        return _read(path)
    except OSError as error:
        raise BadInputError(
            f"{error.filename or path} cannot be read: {error.strerror}",
            hint="Give it to the user whose host it is",
        ) from error


def _read(path: Path) -> Source:
    inner = path / ".git"
    pointer: tuple[Path, ...] = ()
    if inner.is_file():
        git_dir = _beside(path, _pointer(inner, b"gitdir: "), inner)
        pointer = (inner,)
    elif inner.is_dir():
        git_dir = inner.resolve()
    elif inner.is_symlink() or not _holds_refs(path):
        raise _not_there(path, inner)
    else:
        git_dir = path
    common = _common(git_dir)
    if inner.is_symlink() and common != git_dir:
        raise BadInputError(
            f"{inner} is a link to a worktree's folder, which git could not follow elsewhere",
            hint=f"Give the repository itself: {common.parent}",
        )
    if not _holds_refs(common):
        raise _not_there(path, common)
    named = (inner,) if inner.is_symlink() else ()  # git writes by way of that name
    folders = _outermost((common, git_dir, *named, *_linked(git_dir, common)))
    return Source(pointer, folders, _borrowed(common / "objects"))


def _not_there(path: Path, lacks: Path) -> BadInputError:
    return BadInputError(
        f"{path} is not a git repository: {lacks} is not there or is none",
        hint="After a move: git worktree repair, or git submodule update; else give its repository",
    )


def _common(git_dir: Path) -> Path:
    """Of a linked worktree, the repository's own; else itself."""
    pointer = git_dir / "commondir"
    return _beside(git_dir, _pointer(pointer, b""), pointer) if pointer.is_file() else git_dir


def _pointer(file: Path, before: bytes) -> str:
    with file.open("rb") as opened:
        said = opened.read(_POINTER_BYTES)
    if not said.startswith(before):
        raise BadInputError(
            f"{file} names no repository", hint="Give a path that holds one, or owner/repo"
        )
    return os.fsdecode(said.removeprefix(before).rstrip(b"\r\n"))


def _beside(folder: Path, named: str, file: Path) -> Path:
    try:
        return (folder / named).resolve()
    except (ValueError, RuntimeError) as error:  # a NUL, a circle of links
        raise BadInputError(f"{file} names no folder", hint="Is it git's?") from error


def _holds_refs(git_dir: Path) -> bool:
    """As git does: a worktree's own folder has neither, which is how the two are told apart."""
    head = git_dir / "HEAD"
    known = head.is_file() or head.is_symlink()
    return known and (git_dir / "objects").is_dir() and (git_dir / "refs").is_dir()


def _linked(*folders: Path) -> Iterator[Path]:
    """What lies elsewhere although git looks for it in here."""
    for folder in folders:
        for name in _PARTS:
            part = folder / name
            if part.is_symlink() and part.exists():
                yield part.resolve()


def _outermost(found: Iterable[Path]) -> tuple[Path, ...]:
    """Without what lies in another of them."""
    each = tuple(dict.fromkeys(found))
    return tuple(path for path in each if not any(other in path.parents for other in each))


def _borrowed(objects: Path) -> tuple[Path, ...]:
    found: dict[Path, None] = {}
    waiting = [(objects, 0)]
    while waiting:
        folder, depth = waiting.pop(0)
        for lender in _alternates(folder):
            if not (lender / "pack").is_dir() and not (lender / "info").is_dir():
                raise BadInputError(
                    f"{folder} borrows objects from {lender}, where none are",
                    hint="Bring them back, or use a clone that has its own: git clone --no-local",
                )
            if lender not in found and depth < _DEEPEST:
                waiting.append((lender, depth + 1))
            found |= dict.fromkeys((lender, lender.resolve()))
    return tuple(found)


def _alternates(objects: Path) -> Iterator[Path]:
    """Named as git looks for them: from this folder, `..` after links."""
    listed = objects / "info" / "alternates"
    if not listed.is_file():
        return
    for line in listed.read_bytes().splitlines():
        if line and not line.startswith(b"#"):
            yield Path(os.path.normpath(objects.resolve() / os.fsdecode(_unquoted(line))))


def _unquoted(line: bytes) -> bytes:
    if not (line.startswith(b'"') and line.endswith(b'"') and len(line) > 1):
        return line
    return _ESCAPED.sub(_letter, line[1:-1])


def _letter(match: re.Match[bytes]) -> bytes:
    said = match[1]
    return bytes([int(said, 8) & 0xFF]) if len(said) > 1 else _LETTERS.get(said, said)
