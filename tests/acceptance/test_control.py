"""What people do to runs, from stop to cancel."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.controlling import (
    FAST,
    dispatch,
    hanging,
    labels,
    last,
    make_idle,
    record,
    states,
    tree,
    write_uncommitted,
)
from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def tidy(fleet: Fleet) -> Iterator[None]:
    """Every test begins with two idle workers that take work."""
    yield
    make_idle(fleet)


def test_stop_ends_the_whole_tree_and_keeps_what_was_done(fleet: Fleet) -> None:
    number, task = hanging(fleet)
    write_uncommitted(fleet, "01")

    (row,) = fleet.json("stop", "01")

    assert (row["task"], row["state"], row["away"]) == (task, "stopped", False)
    wait_until(lambda: not tree(fleet, "01"), what="the end of the run's processes")
    assert row["wip"] == f"refs/cw/wip/{task.lower()}"
    kept = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", row["clone"], "show", f"{row['wip']}:draft.txt"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert kept.stdout == "half done\n"
    assert states(fleet)["01"] == "stopped"
    assert labels(fleet, number) == ["worker:01"]
    assert fleet.ok("stop", "01").startswith(f"acme/app#{number} on worker 01: stopped")


def test_restart_goes_on_in_the_same_session(fleet: Fleet) -> None:
    _, task = hanging(fleet)
    fleet.ok("stop", task)
    before = fleet.archive("01")["run"]

    said = fleet.json("restart", "01")

    assert (said["task"], said["worker"], said["fresh"]) == (task, "01", False)
    assert fleet.finished(task)["outcome"]["kind"] == "succeeded"
    after = fleet.archive("01")["run"]
    assert (after["session"], after["resumed"]) == (before["session"], True)
    assert after["clone"] == before["clone"]


def test_fresh_restart_begins_a_new_session_from_the_branchs_start(fleet: Fleet) -> None:
    _, task = hanging(fleet)
    write_uncommitted(fleet, "01")
    fleet.ok("stop", "01")
    before = fleet.archive("01")["run"]

    fleet.ok("restart", task, "--fresh")
    wait_until(lambda: "sleep infinity" in last(fleet, "01"), what="the hang again")
    fleet.ok("stop", "01")

    after = fleet.archive("01")["run"]
    assert after["session"] != before["session"]
    assert after["resumed"] is False
    assert not (Path(after["clone"]) / "draft.txt").exists()


def test_restart_of_what_runs_says_to_stop_it(fleet: Fleet) -> None:
    number, _ = hanging(fleet)

    done = fleet.cw("restart", "01")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cw: acme/app#{number} is running. Stop it first: cw stop 01\n"


def test_reset_takes_the_label_off_and_frees_the_worker(fleet: Fleet) -> None:
    number, task = hanging(fleet)
    refused = fleet.cw("reset", "01")
    assert refused.returncode == 2
    assert "--force" in refused.stderr

    done = fleet.json("reset", "01", "--force")

    assert (done["outcome"]["kind"], done["outcome"]["reason"]) == ("stopped", "reset")
    wait_until(lambda: labels(fleet, number) == [], what="the label to go")
    assert states(fleet)["01"] == "idle"
    assert fleet.finished(task)["outcome"]["reason"] == "reset"
    again = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", "01")
    wait_until(lambda: states(fleet)["01"] == "busy", what="the next run of the same issue")
    fleet.ok("stop", again["task"])


def test_reset_after_a_failure_takes_its_label_off(fleet: Fleet) -> None:
    number, task = dispatch(fleet, f"{FAST}rehearse: lie\n")
    assert fleet.finished(task)["outcome"]["kind"] == "failed"
    assert labels(fleet, number) == ["worker:01"]

    fleet.ok("reset", "01")

    wait_until(lambda: labels(fleet, number) == [], what="the label to go")


def test_cancel_takes_a_waiting_task_back(fleet: Fleet) -> None:
    fleet.ok("pause", "01")
    number, task = dispatch(fleet, FAST)
    assert labels(fleet, number) == ["worker:01"]

    (row,) = fleet.json("cancel", task)

    assert (row["outcome"]["kind"], row["outcome"]["reason"]) == ("stopped", "cancelled")
    assert fleet.json("status")["waiting"] == []
    wait_until(lambda: labels(fleet, number) == [], what="the label to go")
    assert fleet.cw("cancel", task).returncode == 2


def test_cancel_of_a_run_needs_force(fleet: Fleet) -> None:
    _, task = hanging(fleet)

    refused = fleet.cw("cancel", task)
    fleet.ok("cancel", task, "--force")

    assert refused.returncode == 2
    assert "cw stop 01" in refused.stderr
    wait_until(lambda: not tree(fleet, "01"), what="the end of the run's processes")
    assert fleet.finished(task)["outcome"]["reason"] == "cancelled"


def test_waiting_task_is_stopped_at_once_and_goes_on_later(fleet: Fleet) -> None:
    fleet.ok("pause", "01")
    _, task = dispatch(fleet, FAST)

    (row,) = fleet.json("stop", task)
    fleet.ok("resume", "01")

    assert (row["state"], row["commits"]) == ("stopped", 0)
    assert record(fleet, task)["state"] == "stopped"
    fleet.ok("restart", task)
    assert fleet.finished(task)["outcome"]["kind"] == "succeeded"


def test_stop_all_stops_every_run_and_nothing_new_starts(fleet: Fleet) -> None:
    fleet.ok("pause", "02", "--note", "kept apart")
    fleet.ok("resume", "02")
    tasks = {hanging(fleet)[1], hanging(fleet, "02")[1]}
    _, waiting = dispatch(fleet, FAST)

    said = fleet.json("stop", "--all")

    assert {row["task"] for row in said["stopped"]} == tasks
    assert {row["state"] for row in said["stopped"]} == {"stopped"}
    assert all("stop --all" in row["paused"] for row in said["paused"])
    wait_until(lambda: not tree(fleet, "01") + tree(fleet, "02"), what="no process")
    assert [one["about"]["task"] for one in fleet.json("status")["waiting"]] == [waiting]
    assert "cw resume --all" in fleet.ok("stop", "--all")


def test_stop_of_an_idle_worker_says_so(fleet: Fleet) -> None:
    assert fleet.ok("stop", "01") == "worker 01 is idle: nothing to stop\n"
    assert fleet.json("stop", "01") == [{"worker": "01", "state": "idle"}]


@pytest.mark.parametrize(
    "typed",
    [
        ("stop",),
        ("stop", "01", "--all"),
        ("stop", "99"),
        ("stop", "01", "0123456789ABCDEFGHJKMNPQRS"),
        ("restart", "01"),
        ("restart", "0123456789ABCDEFGHJKMNPQRS"),
        ("cancel", "01"),
        ("pause",),
        ("pause", "01", "--host", "x"),
        ("pause", "--host", "nowhere"),
        ("pause", "01", "--note", "two\nlines"),
        ("resume", "99"),
        ("drain", "99"),
        ("remove", "99"),
        ("refresh",),
        ("refresh", "99"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(fleet: Fleet, typed: tuple[str, ...]) -> None:
    done = fleet.cw(*typed)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("cw: ")
    assert states(fleet) == {"01": "idle", "02": "idle"}
