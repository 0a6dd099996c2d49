"""An agent program that a package outside cw brings, from its entry point to the pull request."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, ROOT, Fleet, remove, short_folder
from tests.needs import require
from tests.waiting import wait_until
from tests.walls import AROUND_REHEARSAL, WALLS

PACKAGE = ROOT / "tests" / "standins" / "plain_agent"


def install(site: Path) -> None:
    """As pip would: the package, and what it registers."""
    shutil.copytree(PACKAGE, site / "plain_agent")
    info = site / "plain_agent-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plain-agent\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cw.agents]\nplain = plain_agent.program:PLAIN\n")


@pytest.fixture(scope="module")
def plain_fleet() -> Iterator[Fleet]:
    site = short_folder()
    site.chmod(0o755)
    install(site)
    settings = {
        "CW_AGENT_PROGRAM": "plain",
        "CW_MODEL": "plain-1",
        "CW_ACCOUNT_PAUSE": "1",
        "CW_ACCOUNT_SPREAD": "0.1",
        "PYTHONPATH": str(site),
    }
    try:
        with running_fleet(REHEARSAL, settings) as fleet:
            yield fleet
    finally:
        remove(site)


def dispatched(fleet: Fleet, behaviour: str, worker: str = "01") -> str:
    number = fleet.github.add_issue("acme/app", "Do it plainly", f"plain: {behaviour}\n")
    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", worker)
    return str(said["task"])


def row_of(fleet: Fleet, worker: str) -> dict[str, Any]:
    rows = fleet.json("status")["workers"]
    return next(one for one in rows if one["worker"] == worker)


@pytest.fixture(scope="module")
def done(plain_fleet: Fleet) -> str:
    task = dispatched(plain_fleet, "work")
    end = plain_fleet.finished(task)["outcome"]
    assert (end["kind"], end["reason"]) == ("succeeded", "done"), plain_fleet.logs()
    return task


def test_its_work_becomes_a_proven_pull_request(plain_fleet: Fleet, done: str) -> None:
    end = plain_fleet.finished(done)["outcome"]

    assert (end["commits"], end["pushed"]) == (1, True)
    pulls = {str(one.number): one for one in plain_fleet.github.pulls("acme/app")}
    assert pulls[end["pr"].rsplit("/", 1)[1]].head_sha == end["head"]


def test_its_turns_its_cost_and_its_last_word_are_shown(plain_fleet: Fleet, done: str) -> None:
    end = plain_fleet.finished(done)["outcome"]
    shown = plain_fleet.json("show", done)

    assert (end["turns"], end["cost_usd"], end["report"]) == (2, 0.25, "Done plainly.")
    assert (shown["turns"], shown["cost_usd"]) == (2, 0.25)
    assert "$0.25, 2 turns" in plain_fleet.ok("show", done)
    log = plain_fleet.ok("logs", done).splitlines()
    assert log[0] == "● plain 1.0, plain-1"
    assert "  → git commit" in log
    assert log[-1].startswith("■ Done plainly.")
    assert "bye\tok\t2\t0.25\tDone plainly.\n" in plain_fleet.ok("logs", done, "--raw")


def test_its_to_do_list_is_shown(plain_fleet: Fleet, done: str) -> None:
    (found,) = plain_fleet.json("todos", done)

    assert [(one["subject"], one["status"]) for one in found["todos"]] == [
        ("Look at it", "completed"),
        ("Commit it", "completed"),
    ]


def test_who_it_was_is_written_down(plain_fleet: Fleet, done: str) -> None:
    lines = [one["facts"] for one in plain_fleet.json("audit") if one["facts"].get("task") == done]

    assert (lines[1]["agent"], lines[1]["plain_version"]) == ("plain", "1.0")
    assert plain_fleet.json("hosts")[0]["claude"] == "plain 1.0"


def test_running_one_is_seen_at_work(plain_fleet: Fleet) -> None:
    task = dispatched(plain_fleet, "wait")

    wait_until(lambda: row_of(plain_fleet, "01")["turns"] == 1, 60, plain_fleet.logs)
    row = row_of(plain_fleet, "01")
    (plain_fleet.worker("01") / "tmp" / "go").touch()

    assert row["last"] == "I look at it first."
    assert plain_fleet.finished(task)["outcome"]["turns"] == 2


def test_error_that_passes_holds_the_task_and_the_conversation_goes_on(plain_fleet: Fleet) -> None:
    task = dispatched(plain_fleet, "busy")

    end = plain_fleet.finished(task)["outcome"]

    assert (end["kind"], end["report"]) == ("succeeded", "Done plainly, at the second go.")
    first, second = plain_fleet.json("show", task)["attempts"]
    assert (first["outcome"]["kind"], first["outcome"]["reason"]) == ("deferred", "api_unavailable")
    assert "no room at the moment" in first["outcome"]["message"]
    assert second["outcome"]["kind"] == "succeeded"


def test_limit_of_its_account_holds_the_task_until_it_ends(plain_fleet: Fleet) -> None:
    task = dispatched(plain_fleet, "quota 2")

    assert plain_fleet.finished(task)["outcome"]["kind"] == "succeeded"
    first, _ = plain_fleet.json("show", task)["attempts"]
    assert first["outcome"]["reason"] == "usage_limit"


def test_error_that_needs_a_person_waits_for_one(plain_fleet: Fleet) -> None:
    task = dispatched(plain_fleet, "login", worker="02")

    def waits() -> str:
        rows = plain_fleet.json("queue")
        return next((row["reason"] for row in rows if row["about"]["task"] == task), "")

    why = wait_until(lambda: said if "is held" in (said := waits()) else "", 60, plain_fleet.logs)
    (account,) = (row for row in plain_fleet.json("accounts") if row["holds"])
    (first,) = plain_fleet.json("show", task)["attempts"]

    assert (account["workers"], account["state"]) == (["02"], "held")
    assert f"cw accounts --resume {account['name']}" in why
    assert first["outcome"]["reason"] == "authentication_failed"
    assert "who are you?" in first["outcome"]["message"]
    plain_fleet.ok("cancel", task)
    plain_fleet.ok("resume", "02")


def test_own_word_that_it_failed_is_believed(plain_fleet: Fleet) -> None:
    task = dispatched(plain_fleet, "trip", worker="02")

    end = plain_fleet.finished(task)["outcome"]

    assert (end["kind"], end["reason"]) == ("failed", "agent_error")
    assert "I do not know how" in end["message"]


def test_nothing_but_its_conversation_outlives_a_run(plain_fleet: Fleet, done: str) -> None:
    require(WALLS, "bubblewrap and socat that work")

    task = dispatched(plain_fleet, "work")

    assert plain_fleet.finished(task)["outcome"]["kind"] == "succeeded"
    assert "left me something" not in plain_fleet.ok("logs", task)


def test_doctor_and_init_speak_of_it(plain_fleet: Fleet) -> None:
    done = plain_fleet.cw("doctor", "--json")
    found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}

    assert found["plain"]["state"] == "ok"
    assert found["plain"]["text"].startswith("1.0 (")
    assert found["isolation"]["fix"] != "Unset CW_ISOLATION" or AROUND_REHEARSAL == "none"
    assert "claude" not in plain_fleet.cw("init", "03").stderr


def test_model_that_it_does_not_know_is_refused(plain_fleet: Fleet) -> None:
    refused = plain_fleet.cw("dispatch", "-m", "sonnet", "-p", "x", "-r", "acme/app")

    assert refused.returncode == 2
    assert refused.stderr == "cw: 'sonnet' is not a model of plain. Use plain-1, plain-2\n"


def test_name_that_nobody_registered_is_refused_with_the_known_ones(plain_fleet: Fleet) -> None:
    refused = plain_fleet.cw("status", more={"CW_AGENT_PROGRAM": "nobody"})

    assert refused.returncode == 2
    assert "claude, plain" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_sandbox_that_it_does_not_have_is_asked_for_in_vain(plain_fleet: Fleet) -> None:
    done = plain_fleet.cw("doctor", "--json", more={"CW_ISOLATION": "strict"})
    found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}

    assert found["plain"]["state"] == "fail"
    assert "CW_ISOLATION=outer" in found["plain"]["text"]
