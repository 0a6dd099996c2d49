"""What a forge tells of a pull request that is to be repaired: its failed checks and its reviews.

All text is as others wrote it, and is bounded: what is cut off or not read is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cw.forges.watched import OpenThread, Said

TITLE_CHARS = 200
SUMMARY_CHARS = 2_000
LOG_CHARS = 8_000
NOTES = 20  # of one check
NOTE_CHARS = 500
HUNK_CHARS = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What a check says of a place in the files. `line`: 0, of the whole file."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One check or status that is red. `name`: as `Check.name` has it."""

    name: str
    conclusion: str  # the forge's word in lower case: failure, timed_out, startup_failure, error
    title: str = ""
    summary: str = ""
    url: str = ""  # its page, for people
    log: str = ""  # whole lines up to the last that says an error, without colours and times
    no_log: str = ""  # why there is none, for people; empty: there is
    notes: tuple[Note, ...] = ()
    more_notes: int = 0  # how many were not read
    started_at: datetime | None = None
    completed_at: datetime | None = None
    rerunnable: str = ""  # for `Repairing.rerun`; empty: nothing of ours can run it again


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewThread(OpenThread):
    """One wholly. `hunk`: the end of the diff above its line, as it was when the thread began."""

    path: str
    line: int = 0  # of the file after the change; 0: of the whole file
    hunk: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """What reviewers want, at one moment."""

    head: str  # sha
    threads: tuple[ReviewThread, ...] = ()  # those that are neither resolved nor outdated
    more_threads: int = 0  # how many were not read, whatever their state
    changes: tuple[Said, ...] = ()  # the review of each who may write and asks for changes now
