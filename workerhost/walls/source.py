"""What of a repository on this machine is shown behind the wall: all that git needs of it, and
never its working tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cw.errors import BadInputError, WorkspaceError
from cw.local_repository import read_source, refuse_inside
from cw.settings import Settings


@dataclass(frozen=True, slots=True)
class Shown:
    """`written`: what a push changes; the rest is only ever read."""

    read: tuple[Path, ...] = ()
    written: tuple[Path, ...] = ()

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.read, *self.written)


def shown(repo: Path | None, settings: Settings) -> Shown:
    """Read anew each time: what it borrows may have changed since the dispatch. Raises
    WorkspaceError.
    """
    if repo is None:
        return Shown()
    try:
        found = read_source(repo)
        refuse_inside(repo, found, (settings.workers_root, settings.state_dir))
    except BadInputError as error:
        raise WorkspaceError(error.message, hint=error.hint) from error
    return Shown((*found.pointer, *found.borrowed), found.folders)
