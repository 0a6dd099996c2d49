"""What became of one command of the host's git, and what it said."""

from __future__ import annotations

from dataclasses import dataclass

from cw.errors import TooLargeError, WorkspaceError
from workerhost.walls.proxy_errors import Seen


@dataclass(frozen=True, slots=True)
class Done:
    """`over`: which bound it exceeded; `out` is then what came before. `seen`: what went wrong at
    the door that it had.
    """

    ok: bool
    out: str
    err: str
    over: str = ""
    seen: tuple[Seen, ...] = ()


def need(done: Done, what: str) -> str:
    """Its output. Raises TooLargeError, or WorkspaceError with git's own words."""
    if done.over:
        raise TooLargeError(f"git {what} took {done.over}")
    if not done.ok:
        raise WorkspaceError(f"git {what} failed: {last_line(done.err)}")
    return done.out


def last_line(text: str) -> str:
    """What git said that matters: its fatal line, else its last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    # What the other side said; git's own line after it only says that there was something.
    refused = [line for line in lines if line.startswith(("! [", "remote: error"))]
    return (refused or fatal or lines or ["no message"])[-1][:300]
