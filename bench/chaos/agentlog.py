"""What the agents themselves wrote down: start, beat, commit, refusal, last word, end. Nothing here
asks our own records.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

NAME = "rehearsal.log"  # in the agent's own ~/tmp


@dataclass(slots=True)
class Seen:
    """One process of an agent. Times are epoch seconds of this machine."""

    home: str
    task: str
    issue: str  # repository and number: what must have one agent at a time
    attempt: int
    fence: int
    session: str
    resumed: bool  # it went on in its conversation
    clone: str  # where it works
    start: float
    last: float  # its last sign of life
    rc: int | None = None  # None: it never said that it ended
    said: int | None = None  # the exit status that it meant when it had written its last word
    good: bool = False  # that word was no error
    refused: float = 0.0  # until when its account was, and when it was told; 0: it was not
    refused_at: float = 0.0
    requests: int = 0  # to its model
    commits: list[tuple[str, str]] = field(default_factory=list)  # sha and branch, as it made them
    mends: str = ""  # the cause that it repairs; empty: it is no repair

    @property
    def completed(self) -> bool:
        """What became of its process after its last word does not undo its work."""
        return 0 in {self.said, self.rc}

    @property
    def lingers(self) -> bool:
        """It has said its last word, and did not end yet."""
        return self.said is not None and self.rc is None


@dataclass
class AgentLog:
    """The logs of all HOMEs, read as they grow."""

    homes: list[Path]
    runs: list[Seen] = field(default_factory=list)
    _offsets: dict[Path, int] = field(default_factory=dict)
    _open: dict[tuple[str, int, str], Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = Lock()

    def read(self) -> list[Seen]:
        with self._lock:
            for home in self.homes:
                for line in self._new_lines(home / "tmp" / NAME):
                    self._take(home.name, json.loads(line))
            return list(self.runs)

    def _new_lines(self, path: Path) -> list[bytes]:
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._offsets.get(path, 0))
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = self._offsets.get(path, 0) + len(whole)
        return whole.splitlines()

    def _take(self, home: str, line: dict[str, Any]) -> None:
        # Inside its wall every agent has a low process number; its fence tells it from others.
        key = (home, line["pid"], f"{line['session']}:{line.get('fence')}")
        if line["event"] == "start":
            seen = Seen(
                home=home,
                task=line.get("id", ""),
                issue=f"{line.get('repo')}#{line.get('issue') or line.get('id')}",
                attempt=line.get("attempt", 0),
                fence=line.get("fence", 0),
                session=line["session"],
                resumed=line.get("resumed", False),
                clone=line.get("cwd", ""),
                mends=line.get("mends", ""),
                start=line["at"],
                last=line["at"],
            )
            self._open[key] = seen
            self.runs.append(seen)
        elif key in self._open:
            _note(self._open[key], line)


def _note(run: Seen, line: dict[str, Any]) -> None:
    run.last = max(run.last, line["at"])
    if line["event"] == "request":
        run.requests += 1
    elif line["event"] == "commit":
        run.commits.append((line["sha"], line["branch"]))
    elif line["event"] == "said":
        run.said, run.good = line["rc"], line["good"]
    elif line["event"] == "refused":
        run.refused, run.refused_at = line["until"], line["at"]
    elif line["event"] == "end":
        run.rc = line["rc"]


def completed(runs: Iterable[Seen]) -> dict[str, int]:
    """How often each task was brought to its end by an agent."""
    counts: dict[str, int] = {}
    for one in runs:
        if one.completed:
            counts[one.task] = counts.get(one.task, 0) + 1
    return counts


def by(runs: Iterable[Seen], key: str) -> dict[str, list[Seen]]:
    """In the order of their starts."""
    groups: dict[str, list[Seen]] = {}
    for one in sorted(runs, key=lambda one: one.start):
        groups.setdefault(getattr(one, key), []).append(one)
    return groups


def overlaps(runs: Iterable[Seen], key: str) -> list[float]:
    """Seconds in which two agents of the same `key` (issue, home) lived at once."""
    found = []
    for group in by(runs, key).values():
        for before, after in pairwise(group):
            shared = min(before.last, after.last) - after.start
            if shared > 0:
                found.append(shared)
    return found


def backward_fences(runs: Iterable[Seen]) -> int:
    """Runs that began with an older fence than an earlier run of their task had."""
    highest: dict[str, int] = {}
    wrong = 0
    for one in sorted(runs, key=lambda one: one.start):
        wrong += one.fence <= highest.get(one.task, 0)
        highest[one.task] = max(one.fence, highest.get(one.task, 0))
    return wrong
