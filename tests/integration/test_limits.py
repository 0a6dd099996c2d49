"""What a run may take: each limit ends it with everything it started, and keeps its work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cw.homes.layout import Home
from cw.homes.running import shim_lives
from cw.models import Task, TaskSpec
from cw.states import OutcomeKind, State
from cw.store import keys
from tests.integration.cloning import run
from tests.integration.hosting import Machine, machine
from tests.integration.test_shim import DEAF, WALLED, Shims, shims
from tests.needs import need, require
from tests.waiting import wait_until
from workerhost.process_tree import takes_more

__all__ = ["shims"]

QUICK = "rehearse: pace 0.05\n"
# The last word keeps bash from becoming that sleep, which would have little.
EAT = "x=$(head -c 150000000 /dev/zero | tr '\\0' x); echo ready; sleep 600; :"
SHARE = """
import os, time
x = b'x' * (60 << 20)
for _ in range(4):
    os.fork() or time.sleep(600)
print('ready', flush=True)
while not os.path.exists('go'):
    time.sleep(0.05)
os.kill(0, 9)
"""


@pytest.mark.parametrize("walled", WALLED)
def test_run_that_writes_nothing_is_ended(shims: Shims, walled: bool) -> None:
    shims.start("bash", "-c", DEAF, walled=walled, silence_s=1)

    assert (shims.ended().rc, shims.ended().cause) == (137, "stalled")
    assert shims.left() == []


def test_run_that_goes_on_writing_is_not_silent(shims: Shims) -> None:
    shims.start("bash", "-c", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done", silence_s=1.6)

    assert (shims.ended().rc, shims.ended().cause) == (0, "exit")


@pytest.mark.parametrize("walled", WALLED)
def test_tree_that_takes_too_much_memory_is_ended(shims: Shims, walled: bool) -> None:
    """The agent is small; what it started is not."""
    shims.start("bash", "-c", f"({EAT}) & {DEAF}", walled=walled, memory_mb=100)

    assert shims.ended().cause == "memory"
    assert shims.left() == []


def test_shared_memory_counts_once(shims: Shims) -> None:
    """Five processes with the same 60 MB are not 300 MB."""
    shims.start(sys.executable, "-c", SHARE, memory_mb=200)
    shims.said("ready")
    top = shims.started[0].pid
    wait_until(lambda: takes_more(top, 65 << 10), what="the memory")

    assert not takes_more(top, 200 << 10)
    (shims.home.path / "go").touch()
    assert shims.ended().cause == "exit"


def test_run_on_a_full_disk_is_ended(shims: Shims) -> None:
    shims.start("bash", "-c", DEAF, min_free_mb=1 << 40)

    assert shims.ended().cause == "disk_full"
    assert shims.left() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB that only a process of ours has mounted, as seen through /proc."""
    place = tmp_path / "disk"
    place.mkdir()
    said = f"mount -t tmpfs -o size=256k disk {place} && echo mounted && exec sleep 600"
    holder = subprocess.Popen(
        [need("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", said],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    try:
        require(holder.stdout.readline(), "mounts in a user namespace")
        yield Path(f"/proc/{holder.pid}/root{place}")
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


@pytest.mark.parametrize("rc", [0, 1])
def test_end_on_a_disk_without_a_free_byte_is_recorded_as_that_and_is_no_loss(
    shims: Shims, small_disk: Path, rc: int
) -> None:
    """The agent fills it and is gone before anybody looks; what was kept is all that is left."""
    shims.home = Home(small_disk / "01")
    shims.home.run.mkdir(parents=True)

    fill = ["sh", "-c", f"cat /dev/zero >fill 2>/dev/null; exit {rc}"]
    shims.start("true", argv=fill)  # as whoever we are: the disk is nobody else's to reach

    assert (shims.ended().rc, shims.ended().cause) == (rc, "disk_full")
    assert shims.started[0].wait(10) == 0
    assert os.statvfs(small_disk).f_bavail == 0
    assert not list(shims.home.run.glob("exit.json.*"))


def test_agent_that_fills_the_disk_before_its_run_is_recorded_is_not_lost(
    shims: Shims, small_disk: Path, tmp_path: Path
) -> None:
    """The shim starts its agent once stdin can be opened: the disk is full by then."""
    shims.home = Home(small_disk / "01")
    shims.home.run.mkdir(parents=True)
    given, kept = tmp_path / "given", shims.home.exit.with_name("exit.json.room")
    os.mkfifo(given)
    process = shims.start("true", argv=["sh", "-c", "exit 3"], stdin=str(given))
    wait_until(lambda: kept.exists() and kept.stat().st_size, what="the room that is kept")

    subprocess.run(
        ["sh", "-c", f"cat /dev/zero >{small_disk}/fill"], check=False, stderr=subprocess.DEVNULL
    )
    opened = os.open(given, os.O_RDWR)

    assert (shims.ended().rc, shims.ended().cause) == (3, "disk_full")
    os.close(opened)
    assert process.wait(10) == 0
    assert json.loads(shims.home.shim.read_bytes())["pid"] == process.pid
    assert not list(shims.home.run.glob("*.room"))


def outcome(task: Task) -> tuple[OutcomeKind, str]:
    assert task.outcome
    return task.outcome.kind, task.outcome.reason


def assert_work_is_kept(here: Machine, spec: TaskSpec) -> None:
    clone = here.home().clones / spec.repo_folder
    assert run(clone, "show", f"refs/cw/wip/{spec.id.lower()}:draft.txt") == "rehearsal"


@pytest.mark.parametrize(
    ("setting", "value", "prompt", "reason"),
    [
        ("CW_RUN_SILENCE_LIMIT", "2", "rehearse: hang", "stalled"),
        ("CW_RUN_TIME_LIMIT", "3", "rehearse: hang", "time_limit"),
        ("CW_RUN_MEMORY_MB", "200", "rehearse: eat 300\nrehearse: hang", "memory"),
        ("CW_RUN_LOOP_CALLS", "3", "rehearse: loop exit 7", "looping"),
        ("CW_RUN_MAX_TURNS", "2", "rehearse: slow 60", "error_max_turns"),
        ("CW_RUN_MAX_USD", "0.007", "rehearse: slow 60", "error_max_budget_usd"),
    ],
)
def test_limit_has_its_own_outcome_and_the_work_is_kept(
    git_repo: Path, setting: str, value: str, prompt: str, reason: str
) -> None:
    with machine(git_repo, **{setting: value}) as here:
        here.start()
        spec = here.dispatch(f"{QUICK}rehearse: probe draft.txt\n{prompt}\n")

        task = here.reaches(spec, State.DONE)

        assert outcome(task) == (OutcomeKind.FAILED, reason), task.outcome
        assert_work_is_kept(here, spec)
        assert not shim_lives(here.home())
        assert len(here.agents()) == 1


@pytest.mark.parametrize(
    ("setting", "value", "option", "raised"),
    [
        ("CW_TASK_MAX_TURNS", "2", "--max-turns 4", "20"),
        ("CW_TASK_MAX_USD", "0.007", "--max-usd 0.014", "1"),
        ("CW_TASK_MAX_MINUTES", "0.05", "--max-minutes 0.1", "10"),
    ],
)
def test_task_gets_no_more_over_all_its_runs_until_it_is_given_more(
    git_repo: Path, setting: str, value: str, option: str, raised: str
) -> None:
    with machine(git_repo, **{setting: value}) as here:
        host = here.start()
        spec = here.dispatch(f"{QUICK}rehearse: slow 60 once\nrehearse: no-change\n")
        first = here.reaches(spec, State.DONE)
        reopen(here, spec)
        second = here.reaches(spec, State.DONE)
        agents = len(here.agents())
        host.terminate()
        assert host.wait(20) == 0
        here.more[setting] = raised
        here.start()
        reopen(here, spec)
        third = here.reaches(spec, State.DONE)

    for ended in (first, second):
        assert outcome(ended) == (OutcomeKind.FAILED, "budget"), ended.outcome
        assert ended.outcome
        assert f"cw restart {spec.id} {option}" in ended.outcome.message
    assert agents == 1  # none was started for nothing
    assert outcome(third) == (OutcomeKind.SUCCEEDED, "done"), third.outcome
    assert third.session == first.session


def reopen(here: Machine, spec: TaskSpec) -> None:
    wait_until(lambda: not here.home().journal.exists(), what="the archive")
    assert here.store().tasks.reopen(here.task(spec), fresh=False)
    here.sweep()


def test_task_for_which_running_ones_leave_nothing_says_so_until_they_do(git_repo: Path) -> None:
    # The log of what agents do lies in one HOME, where the other worker may not write.
    with machine(git_repo, CW_BUDGET_FLEET_DAY="100turns", CW_REHEARSAL_LOG="") as here:
        here.add_worker("02")
        here.start()
        first = here.dispatch(f"{QUICK}rehearse: until ~/tmp/never\n", wanted_worker="01")
        here.reaches(first, State.RUNNING)
        rest = wait_until(lambda: after_its_turn(here, first), what="the only word of its agent")
        reserve(here, first, rest | {"turns": 100})

        second = here.dispatch(f"{QUICK}rehearse: no-change\n", wanted_worker="02")

        said = wait_until(lambda: here.task(second).reason, what=here.log)
        assert "what is left of the fleet's budget for today (100turns)" in said
        reserve(here, first, rest)
        here.sweep()
        assert here.reaches(second, State.DONE).attempt == 1


def after_its_turn(here: Machine, spec: TaskSpec) -> dict[str, Any]:
    """What is kept for its next one; empty while it has had none."""
    text = here.store().connection.client.hget(keys.RESERVED, spec.id)
    found: dict[str, Any] = json.loads(text or "{}")
    return found if found.get("turns") == 2 else {}


def reserve(here: Machine, spec: TaskSpec, entry: dict[str, Any]) -> None:
    here.store().connection.client.hset(keys.RESERVED, spec.id, json.dumps(entry))


def test_host_without_room_takes_nothing_and_says_why(git_repo: Path) -> None:
    with machine(git_repo, CW_MIN_FREE_MB=str(1 << 40)) as here:
        here.start()
        (beat,) = here.store().fleet.hosts()
        assert "MB are free" in beat.unfit
        assert beat.unfit == beat.warning

        spec = here.dispatch(QUICK)
        here.store().tasks.mark_unhinted(spec.id)

        assert here.sweep().hinted == ()  # a hint that nobody takes would only pile up
        assert here.task(spec).state is State.QUEUED
        here.more["CW_MIN_FREE_MB"] = "1"
        wait_until(lambda: " ready." in here.log(), what="the consumer")
        here.hosts[0].terminate()
        assert here.hosts[0].wait(20) == 0
        here.start()
        assert here.reaches(spec, State.DONE).attempt == 1
