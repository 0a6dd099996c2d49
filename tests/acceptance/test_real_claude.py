"""The main job with nothing faked but the model and GitHub: real claude, gh, git and broker."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.acceptance.fleet import API_KEY, TOKEN, Fleet
from tests.standins.messages import Turn, bash, text
from tests.waiting import wait_until

PUSH_AND_OPEN = (
    "git push -q origin HEAD && gh pr create --title 'Fix it' --body 'Fixes #{number}' --base main"
)


def fix(number: int) -> tuple[Turn, ...]:
    """An agent that does the whole job itself."""
    return (
        bash(f"echo fixed > fix-{number}.txt && git add -A && git commit -q -m 'Fix #{number}'"),
        bash(PUSH_AND_OPEN.format(number=number)),
        text(f"Fixed #{number}."),
    )


def pulls(fleet: Fleet, number: int) -> list[Any]:
    return [one for one in fleet.github.pulls("acme/app") if one.head == f"issue-{number}"]


def test_dispatched_issue_ends_as_an_open_pull_request(real_fleet: Fleet) -> None:
    fleet = real_fleet
    number = fleet.github.add_issue("acme/app", "The build fails", "It says: no rule.")
    fleet.api.script(*fix(number), match=f"issue-{number}")

    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", "01")
    end = fleet.finished(said["task"])["outcome"]

    assert (end["kind"], end["commits"], end["pushed"]) == ("succeeded", 1, True), fleet.logs()
    (pull,) = pulls(fleet, number)
    assert (pull.state, pull.head_sha, pull.title) == ("open", end["head"], "Fix it")
    wait_until(lambda: not fleet.github.issue("acme/app", number).labels, what="the label to go")
    archived = fleet.archive("01")
    assert archived["task"]["id"] == said["task"]
    result = last_result(fleet, "01")
    assert archived["outcome"]["cost_usd"] == result["total_cost_usd"] > 0
    assert archived["outcome"]["turns"] == result["num_turns"] == 3
    assert [one.text for one in fleet.api.requests if "no rule" in one.text]


def test_two_workers_on_one_repository_do_not_meet(real_fleet: Fleet) -> None:
    fleet = real_fleet
    tasks = {}
    for worker in ("01", "02"):
        number = fleet.github.add_issue("acme/app", f"Change for {worker}", "Do it.")
        fleet.api.script(*fix(number), match=f"issue-{number}")
        said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", worker)
        tasks[number] = said["task"]

    ends = {number: fleet.finished(task)["outcome"] for number, task in tasks.items()}

    for number, end in ends.items():
        assert end["kind"] == "succeeded", fleet.logs()
        (pull,) = pulls(fleet, number)
        assert pull.head_sha == end["head"]
        assert end["commits"] == 1
    sent = " ".join(one.text for one in fleet.api.requests)
    marks = dict(re.findall(r"----- (\S+) issue #(\d+): Change for", sent))
    assert len(marks) == 2  # one for each: nobody who writes an issue can know it
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in marks)


def test_agent_sees_no_secret_of_the_host_and_the_logs_none_of_its_own(real_fleet: Fleet) -> None:
    fleet = real_fleet
    number = fleet.github.add_issue("acme/app", "Look around", "Look.")
    fleet.api.script(
        bash("env; ls -a $HOME/..; echo end"),
        text(f"The token is {TOKEN}."),
        match=f"issue-{number}",
    )

    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", "01")
    fleet.finished(said["task"])
    wait_until(lambda: fleet.github.issue("acme/app", number).comments, what="the comment")

    seen = (fleet.worker("01") / "completed").glob("*.log")
    log = max(seen, key=lambda one: one.stat().st_mtime).read_text(encoding="utf-8")
    assert "CW_BROKER_URL" not in log
    assert "CW_STATE_DIR" not in log
    public = json.dumps(fleet.json("history")) + fleet.ok("history") + fleet.logs()
    public += "".join(one.body for one in fleet.github.issue("acme/app", number).comments)
    assert TOKEN not in public
    assert API_KEY not in public


def last_result(fleet: Fleet, worker: str) -> dict[str, Any]:
    """The result line of a worker's newest run, as claude wrote it."""
    logs = (fleet.worker(worker) / "completed").glob("*.log")
    newest = max(logs, key=lambda one: one.stat().st_mtime)
    lines = [json.loads(one) for one in newest.read_text(encoding="utf-8").splitlines()]
    found: dict[str, Any] = next(one for one in reversed(lines) if one.get("type") == "result")
    return found
