"""Bare repositories of the host's own: all that git takes for one, without starting it."""

from __future__ import annotations

from pathlib import Path

from cw.errors import WorkspaceError
from workerhost.clones.lens import config

# Readable for the agents' user, when that is another: whoever may not pass the folder above sees
# nothing of it.
_MORE = (
    "\tsharedRepository = 0644\n\tcommitGraph = false\n\tbigFileThreshold = 16m\n"
    "[gc]\n\tauto = 0\n\tautoDetach = false\n[pack]\n\tthreads = 1\n\twindowMemory = 32m\n"
    "[index]\n\tthreads = 1\n"
)


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
        for folder in (bare, bare / "refs" / "heads", bare / "objects" / "info"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        for name, text in texts.items():
            (bare / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(f"{bare} cannot be made: {error.strerror}") from error
