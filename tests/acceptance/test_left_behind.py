"""Nothing that was committed is left behind, however a run ends, and a task that failed has a way
back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, Fleet
from tests.waiting import wait_until

REPO = "acme/app"
COMMIT = "rehearse: do echo {0} > {0}.txt && git add -A && git commit -qm {0}\n"
LIMITS = {
    "CW_RUN_TIME_LIMIT": "14",
    "CW_RUN_SILENCE_LIMIT": "9",
    "CW_RUN_MEMORY_MB": "400",
    "CW_STOP_GRACE": "1",
    "CW_MAX_DEFERRALS": "0",
    "CW_ACCOUNT_PAUSE": "3600",
    "CW_ACCOUNT_SPREAD": "0.1",
}
CLAIMED = 3  # exit status


@pytest.fixture(scope="module")
def limited() -> Iterator[Fleet]:
    """Where runs end by limits, and nothing is put off."""
    with running_fleet(REHEARSAL, LIMITS, https=True) as one:
        yield one


def issue(fleet: Fleet, agent: str) -> int:
    return fleet.github.add_issue(REPO, "Change it", f"rehearse: pace 0.01\n{agent}\n")


def run(fleet: Fleet, number: int, worker: str = "01") -> tuple[str, Any]:
    """A dispatch as typed: the task, and its outcome."""
    said = fleet.cw("dispatch", "-r", REPO, "-i", str(number), "-w", worker, "--json")
    assert said.returncode == 0, said.stderr
    task = json.loads(said.stdout)["task"]
    return task, fleet.finished(task)["outcome"] | {"said": said.stderr}


ENDS = {
    "no such model": ("api-error 404", "model_not_found"),
    "killed, and killed again": ("crash", "killed"),
    "silent": ("hang", "stalled"),
    "too long": ("slow 60", "time_limit"),
    "an error": ("is-error", "agent_error"),
    "a person is needed": ("blocked by a password", "blocked"),
    "too much memory": ("eat 600\nrehearse: hang", "memory"),
}


@pytest.mark.parametrize("name", ENDS)
def test_commits_of_a_bad_end_are_where_the_next_run_begins(limited: Fleet, name: str) -> None:
    fleet, (how, reason) = limited, ENDS[name]
    number = issue(fleet, COMMIT.format("first") + f"rehearse: {how}")

    _, first = run(fleet, number)

    assert (first["kind"], first["reason"]) == ("failed", reason), fleet.logs()
    assert (first["commits"], first["pushed"]) == (1, True)
    assert fleet.github.heads(REPO)[f"issue-{number}"] == first["head"]
    fleet.ok("resume", "01")
    if reason == "blocked":
        wait_until(lambda: "blocked" in fleet.github.issue(REPO, number).labels, what="its label")
        fleet.github.unlabel_issue(REPO, number, "blocked")
    fleet.github.edit_issue(REPO, number, body="rehearse: pace 0.01\n")
    _, second = run(fleet, number, "02")
    assert (second["kind"], second["branch"]) == ("succeeded", f"issue-{number}"), second
    assert second["commits"] == 1  # the first one's is not its own
    assert "an earlier task left" in second["message"]
    assert "an earlier task left" in second["said"]
    clone = fleet.worker("02") / "github" / "acme" / "app"
    assert (clone / "first.txt").exists()


HOLDS = {
    "the API refuses the key": "api-error 401 once",
    "the API serves nobody": "api-error 529 once",
    "there is no credit": "api-error 402 once",
}


@pytest.mark.parametrize("name", HOLDS)
def test_commits_of_a_run_whose_account_is_held_are_pushed_meanwhile(
    limited: Fleet, name: str
) -> None:
    fleet = limited
    number = issue(fleet, COMMIT.format("first") + f"rehearse: {HOLDS[name]}\n")
    said = fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "01")

    def held() -> list[Any]:
        return [row for row in fleet.json("accounts") if row["holds"]]

    (account,) = wait_until(held, 60, fleet.logs)

    def ended() -> Any:
        """The account is held while the run is still ending."""
        return fleet.json("show", said["task"])["attempts"][0]["outcome"]

    first = wait_until(ended, 60, fleet.logs)
    assert (first["commits"], first["pushed"]) == (1, True)
    assert fleet.github.heads(REPO)[f"issue-{number}"] == first["head"]
    fleet.ok("accounts", "--resume", account["name"])
    end = fleet.finished(said["task"])["outcome"]

    assert (end["kind"], end["branch"]) == ("succeeded", f"issue-{number}"), end
    assert held() == []


def test_task_that_failed_goes_on_in_its_session_and_clone(limited: Fleet) -> None:
    fleet = limited
    number = issue(fleet, COMMIT.format("first") + "rehearse: is-error once\n")
    task, first = run(fleet, number)
    assert first["reason"] == "agent_error"
    before = fleet.archive("01")["run"]
    run(fleet, issue(fleet, ""))  # another one uses the clone meanwhile
    assert f"cw restart {task}" in fleet.json("show", task)["next"]

    said = fleet.json("restart", task)
    end = fleet.finished(task)["outcome"]

    assert said["task"] == task
    assert (end["kind"], end["branch"]) == ("succeeded", f"issue-{number}"), fleet.logs()
    assert end["commits"] >= 1
    after = fleet.archive("01")["run"]
    assert (after["session"], after["attempt"], after["resumed"]) == (before["session"], 2, True)


def test_task_that_failed_has_no_way_back_when_another_has_its_issue(limited: Fleet) -> None:
    fleet = limited
    number = issue(fleet, "rehearse: is-error")
    task, _ = run(fleet, number)
    fleet.ok("pause", "02")
    other = fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "02")["task"]

    done = fleet.cw("restart", task)

    assert "cw restart" not in fleet.json("show", task)["next"]
    assert done.returncode == CLAIMED
    assert other in done.stderr
    fleet.ok("cancel", other)
    fleet.ok("resume", "02")


def test_task_that_succeeded_is_not_restarted(limited: Fleet) -> None:
    task, end = run(limited, issue(limited, ""))
    assert end["kind"] == "succeeded"

    done = limited.cw("restart", task)

    assert done.returncode == 2
    assert "is done" in done.stderr


def test_agent_that_was_killed_goes_on_once_in_its_session(limited: Fleet) -> None:
    fleet = limited
    number = issue(fleet, COMMIT.format("first") + "rehearse: crash once\n")

    _, end = run(fleet, number)

    assert (end["kind"], end["reason"]) == ("succeeded", "done"), fleet.logs()
    after = fleet.archive("01")["run"]
    assert (after["attempt"], after["resumed"]) == (2, True)
    assert fleet.github.issue(REPO, number).comments == ()


@contextmanager
def refusing(fleet: Fleet) -> Iterator[None]:
    """The remote takes no push."""
    hook = fleet.github.state.repos[REPO].path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho The tests are red. >&2\nexit 1\n", "utf-8")
    hook.chmod(0o755)
    try:
        yield
    finally:
        hook.unlink()


def rewrite(fleet: Fleet, number: int, agent: str) -> None:
    fleet.github.edit_issue(REPO, number, body=f"rehearse: pace 0.01\n{agent}\n")


def test_next_run_begins_with_what_could_not_be_pushed_whichever_worker_has_it(
    limited: Fleet,
) -> None:
    fleet, clone = limited, limited.worker("02") / "github" / "acme" / "app"
    number = issue(fleet, COMMIT.format("first") + "rehearse: no-change")
    with refusing(fleet):
        _, first = run(fleet, number)
        rewrite(fleet, number, COMMIT.format("second") + "rehearse: no-change")
        _, second = run(fleet, number, "02")
    rewrite(fleet, number, "rehearse: no-change")
    _, third = run(fleet, number)

    assert (first["reason"], first["commits"], first["pushed"]) == ("not_pushed", 1, False)
    assert "begins with them" in first["message"]
    assert (second["reason"], second["commits"]) == ("not_pushed", 1), second
    assert f"({first['head'][:12]})" in second["message"]
    assert first["kept"] in second["said"]
    assert (clone / "first.txt").exists()
    assert (third["reason"], third["commits"], third["pushed"]) == ("no_changes", 0, True)
    assert third["head"] == second["head"] == fleet.github.heads(REPO)[f"issue-{number}"]
    mirrors = fleet.home / "state" / "git" / "mirrors"
    assert not [one for one in mirrors.rglob(f"issue-{number}") if "kept" in one.parts]
    rewrite(fleet, number, COMMIT.format("last") + "rehearse: no-change")
    _, last = run(fleet, number, "02")
    assert (last["kind"], last["commits"]) == ("succeeded", 1), last
    assert "could not push" not in last["message"]


def test_commits_with_a_secret_are_not_what_the_next_run_begins_with(limited: Fleet) -> None:
    fleet, clone = limited, limited.worker("02") / "github" / "acme" / "app"
    secret = "rehearse: do echo $GH_TOKEN > leak.txt && git add -A && git commit -qm leak\n"
    number = issue(fleet, secret + "rehearse: no-change")

    _, first = run(fleet, number)
    rewrite(fleet, number, COMMIT.format("second") + "rehearse: no-change")
    _, second = run(fleet, number, "02")

    assert first["reason"] == "secret_committed", first
    assert "begins with them" not in first["message"]
    assert second["kind"] == "succeeded", second
    assert not (clone / "leak.txt").exists()
    assert first["kept"] in second["said"]  # where it is


def test_commits_that_cannot_be_pushed_are_named(limited: Fleet) -> None:
    """What somebody else pushed meanwhile is not overwritten."""
    fleet = limited
    wait = "rehearse: do touch ~/tmp/begun; until test -e ~/tmp/go; do sleep 0.1; done\n"
    number = issue(fleet, COMMIT.format("first") + wait + "rehearse: is-error")
    tmp = fleet.worker("01") / "tmp"
    for name in ("go", "begun"):
        (tmp / name).unlink(missing_ok=True)
    task = fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "01")["task"]
    wait_until((tmp / "begun").exists, 60, fleet.logs)
    theirs = fleet.github.add_commit(REPO, f"issue-{number}", {"theirs.txt": "x\n"})
    (tmp / "go").touch()
    end = fleet.finished(task)["outcome"]

    assert (end["reason"], end["pushed"]) == ("agent_error", False)
    assert fleet.github.heads(REPO)[f"issue-{number}"] == theirs
    assert end["kept"].startswith("refs/cw/wip/")
    assert end["kept"] in end["message"]
    clone = fleet.worker("01") / "github" / "acme" / "app"
    assert end["clone"] == str(clone)
    assert f"{end['kept']} in {clone}" in fleet.ok("show", task)
    rewrite(fleet, number, "rehearse: commit-only")
    _, after = run(fleet, number, "02")  # theirs is left alone, and ours goes on beside it
    assert (after["kind"], after["branch"], after["commits"]) == (
        "succeeded",
        f"issue-{number}-2",
        1,
    )
    assert (fleet.worker("02") / "github" / "acme" / "app" / "first.txt").exists()
