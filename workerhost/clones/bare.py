"""Bare repositories of the host's own: all that git takes for one, without starting it."""

from __future__ import annotations

from pathlib import Path

from cw.errors import WorkspaceError
from workerhost.clones.host_repositories import open_folder, write_open
from workerhost.clones.lens import config

_MORE = (
    "\tcommitGraph = false\n\tbigFileThreshold = 16m\n"
    "[gc]\n\tauto = 0\n\tautoDetach = false\n[pack]\n\tthreads = 1\n\twindowMemory = 32m\n"
    "[index]\n\tthreads = 1\n"
)
_FOLDERS = ("refs", "refs/heads", "objects", "objects/info", "objects/pack")  # each after its own


def make_bare(bare: Path, *, sha256: bool = False, lender: Path | None = None) -> None:
    """`lender`: the repository whose objects it borrows. Raises WorkspaceError."""
    texts = {
        "HEAD": "ref: refs/heads/none\n",
        "config": config(sha256=sha256, bare=True, more=_MORE),
    }
    if lender:
        texts["objects/info/alternates"] = f"{lender / 'objects'}\n"
        if (lender / "shallow").is_file():
            texts["shallow"] = (lender / "shallow").read_text("ascii")
    try:
        for folder in (bare, *(bare / name for name in _FOLDERS)):
            open_folder(folder)
        for name, text in texts.items():
            write_open(bare / name, text)
    except OSError as error:
        raise WorkspaceError(f"{bare} cannot be made: {error.strerror}") from error
