"""What a clone's index keeps git from seeing: files that are "assumed unchanged" or "skipped"."""

from __future__ import annotations

import os
from collections.abc import Callable

from workerhost.clones.bounded import Feeding
from workerhost.clones.git import Bounds
from workerhost.clones.lens import Lens

_ALL = 1 << 30  # bytes that are passed on as they come
_MANY = 100_000  # that are kept


def reveal(seen: Lens, *, everything: bool = False) -> None:
    """Take the flags off the index, so that git looks at the files again. What a sparse checkout
    leaves out stays skipped, unless it is to be `everything`. An index that git cannot read is made
    anew from HEAD. Raises WorkspaceError.
    """
    found: list[tuple[str, bytes]] = []
    listing = Names(lambda row: _flagged(row, found))
    if not seen.run("ls-files", "-v", "-z", bounds=listing.bounds).ok:
        (seen.clone / ".git" / "index").unlink(missing_ok=True)
        seen.need("read-tree", "HEAD")
        return
    assumed = [path for tag, path in found if tag.islower()]
    skipped = [path for tag, path in found if tag in "sS" and (everything or _there(seen, path))]
    for flag, paths in (("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)):
        if paths:
            feeding = Feeding(source=b"".join(path + b"\0" for path in paths))
            seen.need("update-index", flag, "-z", "--stdin", bounds=Bounds(feeding=feeding))


def _flagged(row: bytes, found: list[tuple[str, bytes]]) -> None:
    tag = row[:1].decode("ascii", "replace")
    if (tag.islower() or tag == "S") and len(found) < _MANY:
        found.append((tag, row[2:]))


def _there(seen: Lens, path: bytes) -> bool:
    return os.path.lexists(os.path.join(os.fsencode(seen.clone), path))  # noqa: PTH118  bytes


class Names:
    """Output that NULs end, handed on name by name as it comes, whatever its length."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take, self._rest = take, b""
        self.bounds = Bounds(text=_ALL, feeding=Feeding(sink=self._more))

    def _more(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\0")
        for name in whole:
            self._take(name)
