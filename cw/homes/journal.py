"""task.json: the run's state on disk, which outlives Redis; and its archive."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cw import processid
from cw.homes.files import open_regular, read_json, sync_folder, write_private
from cw.homes.layout import Home
from cw.homes.owner import make_folders
from cw.models import MALFORMED, MaybeMoment, Model, Moment, Outcome, Start, TaskSpec
from cw.redaction.redact import Redactor
from cw.redaction.streams import copy_blotted

log = logging.getLogger("workerhost.journal")

Phase = Literal["preparing", "running", "settling", "settled", "overtaken"]


class Cut(Model):
    """Why its host ends a run: a reason of cw.reasons, and one sentence for a person."""

    reason: str
    message: str


class Run(Model):
    """One execution of a task."""

    worker: str
    host: str
    attempt: int
    fence: int
    session: str
    resumed: bool = False
    started_at: Moment
    ended_at: MaybeMoment = None
    boot: str = ""  # of the machine
    began: float = 0.0  # seconds since then: no change of the clock changes them
    clone: str = ""
    base: str = ""
    base_sha: str = ""
    rescued: tuple[str, ...] = ()  # see Outcome
    account: str = ""  # the id of the one it began on
    agent: str = "claude"  # the program, as the setting names it
    cut: Cut | None = None  # said before it is ended, so that the next host knows as well
    missing: tuple[str, ...] = ()  # what its clone should have had and had not, in words
    threads: tuple[int, ...] = ()  # of a review: numbers of those that it is to answer

    def lasted(self, now: datetime) -> float:
        """Seconds so far."""
        if self.boot and self.boot == processid.boot_id():
            return round(time.monotonic() - self.began, 1)
        return round(max(0.0, (now - self.started_at).total_seconds()), 1)


class Journal(Model):
    """The file. `outcome` is there once the run is settled, before the record has it. `overtaken`:
    the record was not this run's any more, and its outcome counts for nothing.
    """

    version: Literal[1] = 1
    phase: Phase
    task: TaskSpec
    run: Run
    outcome: Outcome | None = None
    renamed: str = ""  # what GitHub calls its repository now; empty: as the task has it
    start: Start | None = None  # of the task's first run; None: it has had no clone yet

    @property
    def current(self) -> TaskSpec:
        """What is asked for and worked on. `task` stays as it was signed."""
        task = self.task.called(self.renamed) if self.renamed else self.task
        return task.on_branch(self.start.branch) if self.start else task


def write(home: Home, journal: Journal) -> None:
    """On the disk when this returns: whatever is done for a run comes after its journal says so.
    Raises OSError.
    """
    make_folders(home.run)
    write_private(home.journal, journal.model_dump_json(indent=2).encode())


def read(home: Home) -> Journal | None:
    """The run this HOME is in the middle of. A file that cannot be used is moved aside."""
    if not home.journal.exists():
        return None
    found = parse(read_json(home.journal))
    if found is None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = home.journal.with_suffix(f".corrupt-{stamp}")
        home.journal.rename(kept)
        log.error("a journal cannot be read, and was moved aside: %s", kept)
    return found


def parse(data: object) -> Journal | None:
    """A journal or an archive as read from disk; None when it is not one."""
    try:
        return Journal.model_validate(data)
    except MALFORMED:
        return None


def archive(home: Home, journal: Journal, clean: Redactor) -> Path:
    """Move task.json and the log to completed/, without secrets; returns the archive's JSON. Safe
    to repeat after a crash in the middle. Raises OSError.
    """
    ended = journal.run.ended_at or journal.run.started_at
    stamp = ended.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = home.completed / f"{archive_name(journal.task)}-{stamp}.json"
    if _is_another(target, journal):
        target = target.with_name(f"{target.stem}-{journal.task.id[-8:].lower()}.json")
    make_folders(home.completed)
    for path, ending in ((home.log, ".log"), (home.errors, ".err")):
        if path.exists() and path.stat().st_size:
            _put_away(path, target.with_suffix(ending), clean)
    kept = clean.deep(journal.model_dump(mode="json"))
    write_private(target, json.dumps(kept, indent=2).encode())
    clear(home)
    sync_folder(home.completed)
    return target


def _put_away(log: Path, target: Path, clean: Redactor) -> None:
    """Whoever reads the log by offset goes on in the archive where it was."""
    part = target.with_name(f".{target.name}.part")
    changed = False
    with open_regular(log) as source, part.open("wb") as copy:
        part.chmod(0o600)
        for begin, end in _data(source.fileno()):
            source.seek(begin)
            copy.seek(begin)
            changed |= copy_blotted(source, clean, copy.write, end - begin)
        copy.truncate(os.fstat(source.fileno()).st_size)
    if changed:
        part.replace(target)
        log.unlink()
    else:
        part.unlink()
        shutil.move(log, target)


def _data(file: int) -> Iterator[tuple[int, int]]:
    """Where a file has something on the disk. A hole may be larger than any disk."""
    at, size = 0, os.fstat(file).st_size
    while at < size:
        try:
            begin = os.lseek(file, at, os.SEEK_DATA)
        except OSError:  # nothing but a hole up to the end
            return
        at = os.lseek(file, begin, os.SEEK_HOLE)
        yield begin, at


def clear(home: Home) -> None:
    """An idle HOME has an empty run folder; corrupt journals stay for a person to see."""
    for path in (home.journal, *_leftovers(home)):
        path.unlink(missing_ok=True)
    shutil.rmtree(home.github, ignore_errors=True)  # nothing is lent any more


def archive_name(task: TaskSpec) -> str:
    """`owner-repo-22`, or `owner-repo-task` without an issue."""
    words = re.sub(r"[^A-Za-z0-9._]+", "-", task.repo_folder).strip("-.")
    return f"{words}-{task.issue if task.issue is not None else 'task'}"


def _is_another(target: Path, journal: Journal) -> bool:
    """Whether a run that ended in the same second has this place already."""
    there = read_json(target) or {}
    task = there.get("task")
    return isinstance(task, dict) and task.get("id") != journal.task.id


def _leftovers(home: Home) -> list[Path]:
    keep = {home.journal.name}
    if not home.run.is_dir():
        return []
    return [
        path
        for path in home.run.iterdir()
        if (path.is_file() or path.is_socket())
        and path.name not in keep
        and ".corrupt-" not in path.name
    ]
