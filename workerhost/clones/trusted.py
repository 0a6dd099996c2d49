"""Whether what claude would load from a trusted repository is what its default branch has.

The clone, its index and its objects are the agents' to write, and an issue's branch has what none
but an agent may have seen. So the default branch is asked for anew, and compared with the files.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from cw.errors import CwError, LostServerError
from cw.homes.files import read_regular
from cw.homes.layout import in_place
from workerhost.clones.bounded import Feeding
from workerhost.clones.done import need
from workerhost.clones.git import Bounds, Git
from workerhost.clones.mirror import HEADS, mirrored
from workerhost.clones.protected_changes import UNKNOWN
from workerhost.clones.workspace import Workspace

_RUNS = (".claude", ".mcp.json")  # wherever it lies: skills have hooks, too
_TELLS = ("claude.md", "claude.local.md", "agents.md")  # what packages bring along is only read
_SPEC = GitIgnoreSpec.from_lines((*_RUNS, *(f"/{name}" for name in _TELLS)))
_MOST_BYTES = 1 << 22  # of one file; none that is meant to be read is larger
_MOST_LISTED = 256 << 20  # bytes of names of the whole repository
_OTHER = "what git would not keep like this"


def unlike_base(git: Git, place: Workspace) -> str:
    """A path that claude would load and that is not as the default branch has it; empty when there
    is none. What cannot be compared counts as such a path. Raises LostServerError.
    """
    if not in_place(git.home, place.clone):
        return UNKNOWN
    if above := _above(git.home.path, place.clone):
        return above
    try:
        expected = _of_base(git, place)
        found = dict(_in_clone(place.clone))
    except LostServerError:
        raise
    except (CwError, OSError, UnicodeError):
        return UNKNOWN
    paths = sorted(expected.keys() | found.keys())
    return next((path for path in paths if expected.get(path) != found.get(path)), "")


def _above(home: Path, clone: Path) -> str:
    """claude looks in all folders above as well, which are no repository's."""
    for folder in clone.parents:
        for path in folder.iterdir() if folder.is_relative_to(home) else ():
            if path.name.lower() in {*_RUNS, *_TELLS} and path != home / ".claude":
                return str(path)
    return ""


def _of_base(git: Git, place: Workspace) -> dict[str, str]:
    """Mode and hash of each file, as the remote has it now. Raises CwError."""
    listed = _Listed()
    with mirrored(git, place.url) as mirror:
        bounds = Bounds(text=_MOST_LISTED, feeding=Feeding(sink=listed.add))
        asked = ("ls-tree", "-r", "-z", "--full-tree", f"{HEADS}{place.base}")
        need(git.own(*asked, at=mirror.path, bounds=bounds), "ls-tree")
    return listed.found


class _Listed:
    """What `ls-tree -z` says of the files that count, piece by piece: of the others there may be
    any number.
    """

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._rest = b""

    def add(self, piece: bytes) -> None:
        *entries, self._rest = (self._rest + piece).split(b"\0")
        for entry in entries:
            about, _, path = entry.decode("utf-8", "replace").partition("\t")
            if path and _SPEC.match_file(path.lower()):
                mode, _, sha = about.split(" ")
                self.found[path] = f"{mode} {sha}"


def _in_clone(clone: Path) -> Iterator[tuple[str, str]]:
    """The same of what lies there, whatever git would say about it."""
    for folder, folders, files in os.walk(clone, onerror=_raise):
        if Path(folder) == clone and ".git" in folders:
            folders.remove(".git")
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*files, *links):
            path = Path(folder) / name
            inside = path.relative_to(clone).as_posix()
            if _SPEC.match_file(inside.lower()):
                yield inside, _as_git_has_it(clone, path)


def _raise(error: OSError) -> None:
    raise error


def _as_git_has_it(clone: Path, path: Path) -> str:
    """Of a link only one whose target is compared as well."""
    seen = path.lstat()
    if stat.S_ISLNK(seen.st_mode):
        target = path.resolve()
        compared = target.is_relative_to(clone) and _SPEC.match_file(
            target.relative_to(clone).as_posix().lower()
        )
        return f"120000 {_sha(os.fsencode(path.readlink()))}" if compared else _OTHER
    if not stat.S_ISREG(seen.st_mode) or seen.st_size > _MOST_BYTES:
        return _OTHER
    return (
        f"{'100755' if seen.st_mode & 0o100 else '100644'} {_sha(read_regular(path, _MOST_BYTES))}"
    )


def _sha(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
