"""What was done in somebody's name on this machine: lines that are only ever added, each with the
hash of the one before, below state_dir/audit (mode 0600).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cw.errors import BadInputError, CwError
from cw.models import MALFORMED, Model, Moment
from cw.settings import Settings

_FIRST = "0" * 64
_TAIL_BYTES = 1 << 16  # more than any line
_UNTOLD = (
    "the broker has no word of ours on the last one, so lines may be missing at the end:"
    " it was emptied, or somebody took it away"
)


class Entry(Model):
    n: int
    at: Moment
    what: str  # dispatched, started, ended, or a command
    by: str
    facts: dict[str, Any]
    before: str  # hash of the line before
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last line there was."""

    n: int = 0
    hash: str = _FIRST


@dataclass(frozen=True, slots=True)
class Verified:
    """`bad`: the first line that is not as it was written, 0 for none; `why` says what is wrong, or
    in doubt.
    """

    lines: int
    bad: int = 0
    why: str = ""


def audit_file(settings: Settings) -> Path:
    return settings.state_dir / "audit" / f"{settings.host_name.replace(os.sep, '-')}.jsonl"


class Audit:
    """`tell`: called with each new head, to be kept somewhere else."""

    def __init__(self, path: Path, tell: Callable[[Head], None]) -> None:
        self._path = path
        self._tell = tell

    def add(self, what: str, by: str, **facts: Any) -> None:
        """On the disk when this returns. Safe in several processes. Raises CwError."""
        try:
            head = self._append(what, by, facts)
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            raise CwError(
                f"{self._path} cannot be written: {error.strerror}",
                hint="Free some disk space" if full else "Move what lies there away",
            ) from error
        with suppress(CwError):  # the next line brings it
            self._tell(head)

    @contextmanager
    def after(self, what: str, by: str, **facts: Any) -> Iterator[None]:
        """A line once the body is over, with the kind of error that ended it; none for
        BadInputError: nothing was changed.
        """
        try:
            yield
        except BadInputError:
            raise
        except BaseException as error:
            self.add(what, by, **facts, error=type(error).__name__)
            raise
        self.add(what, by, **facts)

    def _append(self, what: str, by: str, facts: dict[str, Any]) -> Head:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            last = _last(handle)
            row = {
                "n": last.n + 1,
                "at": datetime.now(UTC).isoformat(),
                "what": what,
                "by": by,
                "facts": facts,
                "before": last.hash,
            }
            row["hash"] = _hash(row)
            os.write(handle, f"{json.dumps(row)}\n".encode())
            os.fsync(handle)
            return Head(last.n + 1, str(row["hash"]))
        finally:
            os.close(handle)


def entries(path: Path) -> Iterator[Entry]:
    """Those that can be read, oldest first."""
    for line in _lines(path):
        with suppress(*MALFORMED):
            yield Entry.model_validate_json(line)


def verify(path: Path, head: Head | None, *, told: bool = True) -> Verified:
    """`head`: what was told last of this file, if anybody knows. `told`: False when who ought to
    know does not.
    """
    before, count = Head(), 0
    told_here = head is None or head.n == 0
    for count, line in enumerate(_lines(path), start=1):
        why = _wrong(line, before)
        if why:
            return Verified(count, count, why)
        row = json.loads(line)
        before = Head(row["n"], row["hash"])
        if head and head.n == before.n:
            if head.hash != before.hash:
                return Verified(count, count, "the broker knows this line with another hash")
            told_here = True
    if not told_here and head:
        return Verified(count, count + 1, f"lines up to {head.n} are missing at the end")
    return Verified(count, why=_UNTOLD if count and not told else "")


def _wrong(line: bytes, before: Head) -> str:
    try:
        row = json.loads(line)
        Entry.model_validate_json(line)
    except MALFORMED:
        return "it is no entry"
    if row.pop("hash") != _hash(row):
        return "it was changed"
    if row["n"] != before.n + 1 or row["before"] != before.hash:
        return "it does not follow the line before: one was taken out, added or moved"
    return ""


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror}", hint="Move what lies there away"
        ) from error


def _last(handle: int) -> Head:
    """Of the last whole line that can be read. The chain breaks at those after it, and `cw audit
    verify` names the first of them.
    """
    size, tail = os.fstat(handle).st_size, _TAIL_BYTES
    _drop_half_a_line(handle, size)
    while True:
        start = max(0, size - tail)
        for line in reversed(os.pread(handle, size - start, start).split(b"\n")):
            try:
                row = json.loads(line)
                return Head(int(row["n"]), str(row["hash"]))
            except (KeyError, *MALFORMED):
                continue
        if not start:
            return Head()
        tail *= 8


def _drop_half_a_line(handle: int, size: int) -> None:
    """What a power cut left of one nobody relied on. What is longer than any of ours stays."""
    start = max(0, size - _TAIL_BYTES)
    raw = os.pread(handle, size - start, start)
    whole = raw.rfind(b"\n") + 1
    if whole == len(raw):
        return
    if whole or not start:
        os.ftruncate(handle, start + whole)
    else:
        os.write(handle, b"\n")


def _hash(row: dict[str, Any]) -> str:
    text = json.dumps(row, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
