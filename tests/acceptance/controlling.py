"""What tests of control dispatch, and look at afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until

FAST = "rehearse: pace 0.01\n"
HANG = f"{FAST}rehearse: orphan 54321\nrehearse: hang once\n"


def open_tasks(fleet: Fleet) -> list[str]:
    seen = fleet.json("status")
    rows = [*seen["workers"], *seen["waiting"], *seen["held"], *seen["stuck"]]
    return sorted({row["about"]["task"] for row in rows if row["about"]})


def states(fleet: Fleet) -> dict[str, str]:
    return {row["worker"]: row["state"] for row in fleet.json("status")["workers"]}


def make_idle(fleet: Fleet) -> None:
    """Both workers, with nothing open and nobody paused."""
    tasks = open_tasks(fleet)
    if tasks:
        fleet.ok("cancel", "--force", *tasks)
    fleet.ok("resume", "--all")
    wait_until(lambda: states(fleet) == {"01": "idle", "02": "idle"}, what="idle workers")


def issue(fleet: Fleet, behaviour: str) -> int:
    number: int = fleet.github.add_issue("acme/app", "Change it", behaviour)
    return number


def dispatch(fleet: Fleet, behaviour: str, worker: str = "01") -> tuple[int, str]:
    number = issue(fleet, behaviour)
    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", worker)
    return number, said["task"]


def hanging(fleet: Fleet, worker: str = "01") -> tuple[int, str]:
    """A run that is in the middle of a tool and has left a daemon behind."""
    number, task = dispatch(fleet, HANG, worker)
    wait_until(lambda: "sleep infinity" in last(fleet, worker), what=f"the hang\n{fleet.logs()}")
    assert tree(fleet, worker)
    return number, task


def last(fleet: Fleet, worker: str) -> str:
    rows = fleet.json("status", worker)["workers"]
    return str(rows[0]["last"])


def tree(fleet: Fleet, worker: str) -> list[str]:
    """Every process that works in this HOME, or is the daemon of one that did."""
    home = os.fsencode(fleet.worker(worker))
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes()
            place = os.fsencode((path / "cwd").readlink())
        except OSError:
            continue
        if home in words or place.startswith(home):
            found.append(f"{path.name} {words!r}")
    return found


def labels(fleet: Fleet, number: int) -> list[str]:
    return list(fleet.github.issue("acme/app", number).labels)


def record(fleet: Fleet, task: str) -> dict[str, Any]:
    """The row of a task that does not move."""
    found = [row for row in fleet.json("status")["stuck"] if row["about"]["task"] == task]
    return found[0] if found else {}


def write_uncommitted(fleet: Fleet, worker: str) -> None:
    (fleet.worker(worker) / "github" / "acme" / "app" / "draft.txt").write_text("half done\n")
