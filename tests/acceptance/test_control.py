"""What people do to runs and workers, from stop to remove."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cw.homes.home import fingerprint
from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until

FAST = "rehearse: pace 0.01\n"
HANG = f"{FAST}rehearse: orphan 54321\nrehearse: hang once\n"


@pytest.fixture(autouse=True)
def tidy(fleet: Fleet) -> Iterator[None]:
    """Every test begins with two idle workers that take work."""
    yield
    tasks = open_tasks(fleet)
    if tasks:
        fleet.ok("cancel", "--force", *tasks)
    fleet.ok("resume", "--all")
    wait_until(lambda: states(fleet) == {"01": "idle", "02": "idle"}, what="idle workers")


def open_tasks(fleet: Fleet) -> list[str]:
    seen = fleet.json("status")
    rows = [*seen["workers"], *seen["waiting"], *seen["held"], *seen["stuck"]]
    return sorted({row["about"]["task"] for row in rows if row["about"]})


def states(fleet: Fleet) -> dict[str, str]:
    return {row["worker"]: row["state"] for row in fleet.json("status")["workers"]}


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


def test_paused_worker_takes_nothing_until_it_is_resumed(fleet: Fleet) -> None:
    fleet.ok("pause", "01", "--note", "new disk")
    _, task = dispatch(fleet, FAST)
    _, other = dispatch(fleet, FAST, "02")
    assert fleet.finished(other)["outcome"]["kind"] == "succeeded"

    seen = fleet.json("status")
    row = next(one for one in seen["workers"] if one["worker"] == "01")
    assert (row["state"], row["paused"]) == ("paused", "new disk")
    (waiting,) = seen["waiting"]
    assert waiting["reason"] == "worker 01 is paused: new disk; cw resume 01"
    assert "new disk" in fleet.ok("status")

    fleet.ok("resume", "01")

    assert fleet.finished(task, 15)["outcome"]["kind"] == "succeeded"


def test_pool_leaves_paused_workers_out(fleet: Fleet) -> None:
    fleet.ok("pause", "--all")
    number = issue(fleet, FAST)
    task = fleet.json("dispatch", "-r", "acme/app", "-i", str(number))["task"]
    (waiting,) = fleet.json("status")["waiting"]
    assert waiting["reason"].startswith("every worker is paused")

    fleet.ok("resume", "02")

    assert fleet.finished(task, 15)["worker"] == "02"


def test_drain_waits_for_the_run_and_keeps_the_next_one_back(fleet: Fleet) -> None:
    _, task = dispatch(fleet, f"{FAST}rehearse: slow 2\n")
    wait_until(lambda: states(fleet)["01"] == "busy", what="the run")

    said = fleet.json("drain", "01", "--wait")

    assert said == {"workers": ["01"], "running": []}
    assert fleet.finished(task, 1)["outcome"]["kind"] == "succeeded"
    _, held_back = dispatch(fleet, FAST)
    assert states(fleet)["01"] == "paused"
    fleet.ok("cancel", held_back)


def test_interrupted_drain_goes_on_draining(fleet: Fleet) -> None:
    hanging(fleet)
    host = fleet.json("hosts")[0]["host"]
    master, slave = pty.openpty()
    done = subprocess.Popen(
        ["setsid", "--ctty", "cw", "drain", "--host", host, "--wait"],  # Ctrl-C goes to it alone
        env=fleet.env(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = ""
    while "waiting for" not in shown:
        shown += os.read(master, 4096).decode()
    os.write(master, b"\x03")

    assert done.wait(20) == 130
    os.close(master)
    assert re.search(r"waiting for acme/app#\d+ \(\ds\)", shown)
    assert all(row["paused"] for row in fleet.json("status")["workers"])


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


def test_refresh_renews_templates_and_tokens_and_keeps_what_was_made_by_hand(fleet: Fleet) -> None:
    fleet.ok("init", "03")
    home = fleet.worker("03")
    rules, settings = home / ".claude" / "CLAUDE.md", home / ".claude" / "settings.json"
    mine = rules.read_text() + "\nAlways answer in rhymes.\n"
    rules.write_text(mine)
    (home / ".claude" / "commands" / "greet.md").write_text("Say hello.\n")
    was = settings.read_text()
    settings.write_text('{"old": "template"}\n')
    marker = json.loads((home / ".cw.json").read_text())
    marker["files"][".claude/settings.json"] = fingerprint(settings.read_bytes())
    (home / ".cw.json").write_text(json.dumps(marker))
    login = home / ".zshenv"
    login.write_text(f"export MINE=kept\n{login.read_text()}")

    done = fleet.cw("refresh", "03", "--json", more={"GH_TOKEN": "ghp_renewed"})

    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["updated"] == [".claude/settings.json"]
    assert row["kept"] == [".claude/CLAUDE.md"]
    assert row["added"] == [".claude/commands/greet.md"]
    assert row["tokens"] == ["GH_TOKEN"]
    assert rules.read_text() == mine
    assert settings.read_text() == was
    assert "export GH_TOKEN=ghp_renewed\n" in login.read_text()
    assert login.read_text().startswith("export MINE=kept\n")
    assert "ghp_renewed" not in done.stdout + done.stderr
    fleet.ok("remove", "03")


def test_remove_keeps_the_home_aside_and_forgets_the_worker(fleet: Fleet) -> None:
    fleet.ok("init", "04")
    wait_until(lambda: states(fleet).get("04") == "idle", what="the new worker")
    number, task = hanging(fleet, "04")
    write_uncommitted(fleet, "04")
    refused = fleet.cw("remove", "04")

    done = fleet.json("remove", "04", "--force")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"acme/app#{number} (running)" in refused.stderr
    kept = Path(done["kept"])
    assert kept.parent == fleet.workers / ".removed"
    assert (kept / "github" / "acme" / "app" / "draft.txt").read_text() == "half done\n"
    assert not fleet.worker("04").exists()
    assert "04" not in states(fleet)
    wait_until(lambda: labels(fleet, number) == [], what="the label to go")
    assert fleet.finished(task)["outcome"]["reason"] == "reset"
    # A new worker of that name starts from nothing and works.
    fleet.ok("init", "04")
    _, again = dispatch(fleet, FAST, "04")
    assert fleet.finished(again)["outcome"]["kind"] == "succeeded"
    fleet.ok("remove", "04")


def test_hosts_lists_this_machine(fleet: Fleet) -> None:
    hanging(fleet)

    (row,) = fleet.json("hosts")

    assert (row["state"], row["workers"], row["busy"]) == ("up", 2, 1)
    assert row["version"]
    assert row["host"] in fleet.ok("hosts")
