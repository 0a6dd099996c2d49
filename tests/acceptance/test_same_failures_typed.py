"""A repository whose tasks fail alike is held: what people type says so, and lets it go on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet
from tests.waiting import wait_until

HELD, FREE = "acme/app", "acme/api"
WHY = "its last 2 tasks failed for the same reason (no_changes)"
NEXT = f"cw resume {HELD}"
QUICK = "rehearse: pace 0.01\n"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """Two workers, two repositories; after two failures."""
    with running_fleet(REHEARSAL, {"CW_SAME_FAILURES": "2"}) as one:
        one.github.add_repo(FREE, files={"README.md": "# API\n"})
        one.github.add_user("bot", TOKEN, {HELD: "write", FREE: "write"})
        yield one


def dispatched(fleet: Fleet, agent: str, worker: str, repo: str = HELD) -> str:
    number = fleet.github.add_issue(repo, "Change it", f"{QUICK}rehearse: {agent}\n")
    said = fleet.json("dispatch", "-r", repo, "-i", str(number), "-w", worker)
    return str(said["task"])


def test_repository_that_fails_again_is_held_and_goes_on_when_somebody_says_so(
    fleet: Fleet,
) -> None:
    for worker in ("01", "02"):
        assert fleet.finished(dispatched(fleet, "no-change", worker))["outcome"]["kind"] == "failed"
    (row,) = wait_until(lambda: fleet.json("status")["repositories"], 30, fleet.logs)
    number = fleet.github.add_issue(HELD, "Wait", f"{QUICK}rehearse: push\n")
    told = fleet.ok("dispatch", "-r", HELD, "-i", str(number), "-w", "01")
    (waits,) = fleet.json("queue")
    free = fleet.finished(dispatched(fleet, "push", "01", FREE))
    shown = fleet.ok("status")
    unknown = fleet.cw("resume", "acme/nothing")
    open_issue = fleet.github.add_issue(HELD, "Another", "Do it.", author="acme")
    offered = fleet.cw("assign", "--dry-run", "--json", more={"CW_ASSIGN_REPOS": HELD})

    resumed = fleet.ok("resume", HELD)
    ended = fleet.finished(waits["about"]["task"])

    assert (row["repository"], row["worker"], row["next"]) == (HELD, None, NEXT)
    assert row["reason"].startswith(WHY)
    assert f"It waits: {HELD} is held: {WHY}" in told
    assert NEXT in told
    assert waits["reason"].startswith(f"{HELD} is held: {WHY}")
    assert (waits["next"], free["outcome"]["kind"]) == (NEXT, "succeeded")
    assert f"{HELD} → {NEXT}" in shown.partition("Not moving")[2]
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == f"cw: acme/nothing is not held. Repositories that are: {HELD}\n"
    verdicts = {one["issue"]: one["verdict"] for one in json.loads(offered.stdout)["rows"]}
    assert verdicts[open_issue] == "held"
    assert resumed == f"{HELD} is worked on again\n"
    assert ended["outcome"]["kind"] == "succeeded"
    assert fleet.json("status")["repositories"] == []


def test_resume_takes_repositories_and_workers_and_says_what_is_wrong_first(fleet: Fleet) -> None:
    fleet.ok("pause", "02")

    wrong = fleet.cw("resume", "02", "acme/nothing")
    paused = [row["paused"] for row in fleet.json("status")["workers"]]
    fleet.ok("resume", "02")

    assert wrong.returncode == 2
    assert wrong.stderr.startswith("cw: acme/nothing is not held")
    assert [bool(note) for note in paused] == [False, True]
