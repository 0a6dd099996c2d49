"""A control group for a run, where one can be made: as many processes as it may have, and no more.

Needed where RLIMIT_NPROC does not hold: root is exempt from it, and without a user namespace of the
run's own it counts what else its user has.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from cw.homes.layout import Home
from workerhost.walls.isolation import Wall

_ROOT = Path("/sys/fs/cgroup")


def process_group(home: Home, wall: Wall, most: int) -> Path | None:
    """The group of this HOME's runs, with its limit set. None: not needed, or not to be had."""
    if not most or (wall.outer and os.geteuid() != 0):
        return None
    name = f"cw-{hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]}"
    for parent in _parents(Path("/proc/self/cgroup").read_text("ascii"), _ROOT):
        try:
            return _made(parent / name, most)
        except OSError:  # read-only, not ours to change, or without this controller
            continue
    return None


def _parents(told: str, root: Path) -> Iterator[Path]:
    """Where this process is in version 1, then in version 2, by what its /proc/self/cgroup says."""
    rows = [line.split(":", 2) for line in told.splitlines()]
    yield from (root / "pids" / row[2].lstrip("/") for row in rows if "pids" in row[1].split(","))
    yield from (root / row[2].lstrip("/") for row in rows if row[:2] == ["0", ""])


def _made(group: Path, most: int) -> Path:
    control = group.parent / "cgroup.subtree_control"
    if control.exists():  # version 2
        control.write_text("+pids", "ascii")
    group.mkdir(exist_ok=True)
    kind = group / "cgroup.type"
    if kind.exists() and kind.read_text("ascii").strip() == "domain invalid":
        # The parent has processes, so its children can only have controllers that are "threaded".
        kind.write_text("threaded", "ascii")
    (group / "pids.max").write_text(str(most), "ascii")
    return group
