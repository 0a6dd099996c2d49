"""A host in 600 MB of memory that outlives what its agents make large, endless or broken."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cw.models import TaskSpec
from cw.states import State
from tests.integration.hosting import Machine, machine
from tests.integration.oversized import DONE, End, Made
from tests.needs import require
from tests.waiting import wait_until
from tests.walls import WALLS

LIMIT = 600 << 20  # bytes
ABOVE_IDLE = 64 << 10  # kB
QUICK = "rehearse: pace 0.01\n"
LIMITS = {
    "CW_TASK_MAX_TURNS": "0",  # what agents make up may be as much as they like
    "CW_RUN_LOG_MB": "16",
    "CW_RUN_MAX_PROCESSES": "200",
    "CW_GIT_SECONDS": "20",
    "CW_REHEARSAL_LOG": "",  # lies in one HOME, which the other worker cannot write
}


@contextmanager
def small_memory() -> Iterator[list[str]]:
    """A command that runs another one in a control group with so much memory."""
    group = _group()
    require(group, "a control group for memory")
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        wait_until(lambda: _removed(Path(str(group))), 20, "the control group to be empty")


def _group() -> Path | None:
    """In version 1, or else 2."""
    name = f"cw-test-{os.getpid()}"
    for parent, limit in (
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        (Path("/sys/fs/cgroup"), "memory.max"),
    ):
        with suppress(OSError):
            (parent / name).mkdir()
            (parent / name / limit).write_text(str(LIMIT), "ascii")
            return parent / name
    return None


def _removed(group: Path) -> bool:
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


def peak(pid: int) -> int:
    """Of a process so far, in kB."""
    rows = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM:"))


@contextmanager
def bounded(repo: Path) -> Iterator[Machine]:
    with small_memory() as inside, machine(repo, **LIMITS) as here:
        here.add_worker("02")
        here.start(inside)
        yield here
        # Python's own way to remove a folder ends where its recursion does.
        subprocess.run(["rm", "-rf", str(here.home().path)], check=True)


def behaves(here: Machine) -> TaskSpec:
    return here.dispatch(f"{QUICK}rehearse: commit-only\n", wanted_worker="02")


def end_of(here: Machine, spec: TaskSpec) -> End:
    task = here.reaches(spec, State.DONE, 120)
    assert task.outcome
    return task.outcome.kind, task.outcome.reason


def outlives(table: Mapping[str, Made], repo: Path) -> None:
    """All rows on one host, each beside a worker that behaves: that one succeeds, each row ends as
    its table says, and the host's memory stays where it was.
    """
    require(WALLS, "bubblewrap and socat")
    ends, others, grown = {}, {}, {}
    with bounded(repo) as here:
        (host,) = here.hosts
        others["alone"] = end_of(here, behaves(here))  # what a first run imports is no growth
        idle = peak(host.pid)
        for name, made in table.items():
            before, beside = peak(host.pid), behaves(here)
            ends[name] = end_of(here, here.dispatch(f"{QUICK}rehearse: {made.how}\n"))
            others[name] = end_of(here, beside)
            grown[name] = peak(host.pid) - before
            assert host.poll() is None, here.log()
        above = peak(host.pid) - idle

    print(f"\n{above} kB above {idle} kB, of that:", {k: v for k, v in grown.items() if v})
    wanted = {name: made.end for name, made in table.items()}
    assert {name: end for name, end in ends.items() if end != wanted[name]} == {}
    assert set(others.values()) == {DONE}, others
    assert above < ABOVE_IDLE, grown
