"""What people do to workers, from pause to remove."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cw.homes.home import fingerprint
from tests.acceptance.controlling import (
    FAST,
    dispatch,
    hanging,
    issue,
    labels,
    make_idle,
    states,
    write_uncommitted,
)
from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def tidy(fleet: Fleet) -> Iterator[None]:
    """Every test begins with two idle workers that take work."""
    yield
    make_idle(fleet)


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
