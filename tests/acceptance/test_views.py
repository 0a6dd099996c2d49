"""Looking at agents at work on this machine, with real processes."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.fleet import API_KEY, ROOT, Fleet
from tests.terminal import Terminal, plain
from tests.waiting import wait_until

FAST = "rehearse: pace 0.01\n"


def valid(name: str, value: Any) -> Any:
    schema = json.loads((ROOT / "docs" / "schemas" / f"{name}.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(value)
    return value


def dispatch(fleet: Fleet, behaviour: str, worker: str = "01") -> str:
    body = f"{FAST}rehearse: {behaviour}\n"
    number = fleet.github.add_issue("acme/app", "Change the price of tea", body)
    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", worker)
    return str(said["task"])


@pytest.fixture(scope="module")
def done(fleet: Fleet) -> str:
    """A task that 01 finished with a commit and a pull request."""
    task = dispatch(fleet, "commit-only")
    assert fleet.finished(task)["outcome"]["kind"] == "succeeded", fleet.logs()
    return task


@pytest.fixture
def busy(fleet: Fleet) -> Any:
    """A task that 02 hangs in, with its to-do list made and one file committed."""
    number = fleet.github.add_issue("acme/app", "Change it", f"{FAST}rehearse: hang\n")
    task = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", "02")["task"]
    wait_until(lambda: "sleep infinity" in fleet.cw("inspect", task).stdout, 60, fleet.logs())
    yield task
    fleet.cw("stop", "02")
    fleet.ok("reset", "02")


def test_finished_conversation_is_shown_by_its_last_lines(fleet: Fleet, done: str) -> None:
    lines = fleet.ok("inspect", done).splitlines()

    assert lines[0].startswith("● claude-sonnet")
    assert "  → Bash: git branch --show-current" in lines
    assert lines[-1].startswith("■ Committed a small change")
    assert fleet.ok("inspect", done, "3").splitlines() == lines[-3:]


def test_cost_is_that_of_the_archives_to_the_cent(fleet: Fleet, done: str) -> None:
    archives = [
        json.loads(path.read_text("utf-8"))
        for worker in ("01", "02")
        for path in (fleet.worker(worker) / "completed").glob("*.json")
    ]

    found = fleet.json("cost", "--by", "issue")

    assert found["total"]["runs"] == len(archives)
    assert found["total"]["usd"] == pytest.approx(
        sum(one["outcome"]["cost_usd"] for one in archives), abs=0.0001
    )
    assert found["total"]["usd"] > 0
    label = fleet.json("show", done)["label"]
    assert any(row["name"] == label for row in found["rows"])


def merge(fleet: Fleet, task: str) -> None:
    """Its pull request, if no other test has."""
    number = int(fleet.json("show", task)["outcome"]["pr"].rpartition("/")[2])
    pull = next(one for one in fleet.github.pulls("acme/app") if one.number == number)
    if not pull.merged:
        fleet.github.merge_pull("acme/app", number)


def test_stats_are_those_of_the_archives_and_merged_is_what_github_says(
    fleet: Fleet, done: str
) -> None:
    merge(fleet, done)
    archives = [
        json.loads(path.read_text("utf-8"))
        for worker in ("01", "02")
        for path in (fleet.worker(worker) / "completed").glob("*.json")
    ]

    total = valid("stats", fleet.json("stats", "--by", "worker", "--merged"))["total"]

    assert (total["runs"], total["tasks"]) == (
        len(archives),
        len({one["task"]["id"] for one in archives}),
    )
    assert total["usd"] == pytest.approx(
        sum(one["outcome"]["cost_usd"] for one in archives), abs=0.0001
    )
    assert total["p50_s"] > 0
    assert total["merged"] == 1
    assert "success" in fleet.ok("stats").splitlines()[0]


def test_what_was_done_in_whose_name_is_kept(fleet: Fleet, done: str) -> None:
    lines = [one for one in valid("audit", fleet.json("audit")) if one["facts"].get("task") == done]

    assert [one["what"] for one in lines] == ["dispatched", "started", "ended"]
    assert lines[1]["facts"]["claude_version"] == valid("hosts", fleet.json("hosts"))[0]["claude"]
    assert lines[2]["facts"]["pushed"] is True
    assert "all as they were written" in fleet.ok("audit", "verify")


def test_todos_of_a_finished_task_are_all_done(fleet: Fleet, done: str) -> None:
    (found,) = valid("todos", fleet.json("todos", done))

    assert [(one["subject"], one["status"]) for one in found["todos"]] == [
        ("Look around", "completed"),
        ("Make the change", "completed"),
        ("Commit it", "completed"),
    ]


def test_todos_the_stream_lost_are_read_from_the_log(fleet: Fleet, done: str) -> None:
    from cw.homes.layout import Home
    from cw.homes.pages import todo_list

    found = todo_list(Home(fleet.worker("01")), done)

    assert [one.subject for one in found] == ["Look around", "Make the change", "Commit it"]


def test_show_tells_the_whole_story(fleet: Fleet, done: str) -> None:
    found = valid("show", fleet.json("show", done))

    assert (found["state"], found["outcome"]["kind"], found["notes"]) == ("done", "succeeded", [])
    (attempt,) = found["attempts"]
    assert (attempt["worker"], attempt["outcome"]["commits"]) == ("01", 1)
    assert attempt["session"]
    assert attempt["cost_usd"] > 0
    assert found["changes"]["commits"].count("\n") == 0
    assert "REHEARSAL-issue-" in found["changes"]["stat"]
    assert found["next"] == f"review {found['outcome']['pr']}"
    assert [one["at"] for one in found["timeline"]] == sorted(
        one["at"] for one in found["timeline"]
    )


def test_diff_shows_the_commit_and_is_cut_by_nothing(fleet: Fleet, done: str) -> None:
    text, found = fleet.ok("diff", done), valid("diff", fleet.json("diff", done))

    assert text.startswith("diff --git a/REHEARSAL-issue-")
    assert text == found["diff"]
    assert not found["cut"]
    assert "rehearsed in session" in text
    assert "commits\n" in fleet.ok("diff", "01", "--stat")


def test_diff_that_fits_the_terminal_is_coloured_and_not_paged(fleet: Fleet, done: str) -> None:
    with Terminal(fleet.env() | {"PAGER": "sed s/^/paged:/"}, "diff", done) as shown:
        assert shown.finish() == 0

    assert "paged:" not in shown.text
    assert "\x1b[32m+" in shown.text
    assert "rehearsed in session" in plain(shown.text)


def test_diff_of_an_earlier_task_is_of_its_own_branch(fleet: Fleet, done: str) -> None:
    before = fleet.ok("diff", done)
    later = dispatch(fleet, "commit-only")
    fleet.finished(later)

    assert fleet.ok("diff", done) == before
    assert fleet.ok("diff", "01") == fleet.ok("diff", later) != before


def test_diff_of_a_task_whose_pull_request_is_merged_is_what_it_was(
    fleet: Fleet, done: str
) -> None:
    before = fleet.ok("diff", done)
    merge(fleet, done)
    fleet.finished(dispatch(fleet, "commit-only"))  # its clone has the base of now

    assert before
    assert fleet.ok("diff", done) == before


def test_diff_has_what_is_not_committed_yet_and_no_controls(fleet: Fleet, busy: str) -> None:
    (clone,) = fleet.worker("02").glob("github/acme/app")
    (clone / "README.md").write_text("# App \x1b[2J\x9b2J\n")
    (clone / "new.txt").write_text("new\n")

    text, stat = fleet.ok("diff", "02"), fleet.ok("diff", "02", "--stat")

    assert "+# App \n" in text
    assert "\x1b" not in text + stat
    assert "not committed\n  M README.md\n ?? new.txt\n" in stat
    assert "\x1b[2J" in fleet.json("diff", busy)["diff"]


def test_status_says_what_the_agent_does_and_since_when(fleet: Fleet, busy: str) -> None:
    seen = valid("status", fleet.json("status"))

    row = next(one for one in seen["workers"] if one["worker"] == "02")
    assert (row["state"], row["about"]["task"], row["last"]) == (
        "busy",
        busy,
        "Bash: sleep infinity",
    )
    assert row["elapsed_s"] > 0
    assert row["turns"] >= 1


def test_status_on_a_terminal_redraws_and_leaves_quietly(fleet: Fleet, busy: str) -> None:
    with Terminal(fleet.env(), "status", "--watch") as shown:
        shown.wait_for("sleep inf", times=2)
        shown.process.send_signal(signal.SIGINT)
        code = shown.process.wait(20)

    frame = shown.text.split("\x1b[H")[2]
    assert code == 130
    assert "Traceback" not in shown.text
    assert max(len(line) for line in plain(frame).splitlines()) <= 80


def test_status_for_a_pipe_prints_again_only_when_something_changed(
    fleet: Fleet, busy: str, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    with seen.open("wb") as out:
        watching = subprocess.Popen(
            ["cw", "status", "02", "--watch", "--json"],
            stdout=out,
            stderr=subprocess.PIPE,
            env=fleet.env(),
        )
    try:
        wait_until(lambda: seen.read_text("utf-8").count("\n") == 1, what="the first frame")
        fleet.ok("stop", "02")
        wait_until(lambda: '"stopped"' in seen.read_text("utf-8"), what="the change")
        watching.send_signal(signal.SIGINT)
        _, complaint = watching.communicate(timeout=20)
    finally:
        watching.kill()

    frames = [valid("status", json.loads(line)) for line in seen.read_text("utf-8").splitlines()]
    states = [one["workers"][0]["state"] for one in frames]
    assert complaint == b""
    assert (states[0], states[-1]) == ("busy", "stopped")
    assert len(frames) <= 4


def test_following_inspect_ends_with_the_task(fleet: Fleet) -> None:
    task = dispatch(fleet, "slow 3", "01")

    lines = fleet.ok("inspect", task, "-F").splitlines()

    assert lines[-1].startswith("■ Committed a small change")


def test_readable_log_blots_out_tokens_of_the_environment(fleet: Fleet, done: str) -> None:
    secret = "correct-horse-battery"
    passed = {"CW_AGENT_ENV": "SHOP_PASSWORD", "SHOP_PASSWORD": secret}
    path = next(
        one for one in fleet.worker("01").glob("completed/*.json") if done in one.read_text("utf-8")
    )
    with path.with_suffix(".log").open("ab") as out:
        out.write(f"not json {secret} {API_KEY}\n".encode())

    shown, raw = fleet.cw("logs", done, more=passed), fleet.cw("logs", done, "--raw", more=passed)

    assert shown.stdout.endswith("not json [redacted] [redacted]\n")
    assert raw.stdout.endswith(f"not json {secret} {API_KEY}\n")
