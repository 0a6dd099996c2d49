"""What a merge leaves at its worker is cleared once the worker is idle, whatever is killed; what
was closed, or was not pushed, stays.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cw.homes.layout import Home
from tests.acceptance.beating import REPO, beating
from tests.acceptance.fleet import Fleet
from tests.acceptance.test_pulls_by_beat import pid_of
from tests.integration.cloning import commit, run
from tests.waiting import wait_until

WORK = "rehearse: pace 0.01\nrehearse: commit-only\n"


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Beat looks at pull requests each second."""
    settings = {"CW_ASSIGN_EVERY": "0", "CW_PULLS_EVERY": "1", "CW_RECONCILE_EVERY": "0"}
    with beating(settings) as fleet:
        yield fleet


def test_merge_is_cleared_when_its_worker_is_idle_and_nothing_else_is(fleet: Fleet) -> None:
    hub, home = fleet.github, Home(fleet.worker("01"))
    merged, closed, more = (done(fleet, title) for title in ("Merge", "Close", "Go on"))
    fleet.ok("init", "02")
    later, idle = done(fleet, "Elsewhere", "02"), Home(fleet.worker("02"))
    clone = home.clones / REPO
    run(clone, "switch", "-q", f"issue-{more['issue']}")
    commit(clone, "more.txt")
    go = home.tmp / "go"
    last = hub.add_issue(REPO, "Last", f"rehearse: until {go}\n{WORK}")
    fleet.ok("dispatch", "-i", f"{REPO}#{last}", "-w", "01")
    wait_until(home.shim.exists, 60, fleet.logs)
    before = told(fleet, merged)

    for pull in (merged, more):
        hub.merge_pull(REPO, pull["number"])
        hub.delete_branch(REPO, f"issue-{pull['issue']}")
    hub.close_issue(REPO, closed["number"])
    for pull, state in ((merged, "merged"), (more, "merged"), (closed, "closed")):
        assert seen_of(fleet, pull, state)
    host = pid_of(fleet, "host")
    os.kill(host, signal.SIGKILL)
    wait_until(lambda: pid_of(fleet, "host") != host, 60, fleet.logs)
    hub.merge_pull(REPO, later["number"])
    # So the others' turn has been. A pass that was killed keeps its lock for two minutes.
    wait_until(lambda: not sessions(idle), 180, fleet.logs)
    under_way = sessions(home), branches(clone)
    go.touch()
    wait_until(lambda: len(sessions(home)) == 2, 90, fleet.logs)
    wait_until(lambda: "stays" in fleet.ok("show", more["task"]), 60, fleet.logs)

    assert [len(found) for found in under_way] == [4, 5]
    assert set(under_way[1]) - set(branches(clone)) == {f"issue-{merged['issue']}"}
    archives = sorted(home.completed.glob("*.session.tar.gz"))
    assert [one.name.split("-")[2] for one in archives] == [
        str(pull["issue"]) for pull in (merged, more)
    ]
    assert f"branch issue-{more['issue']} in the clone: 1 of its commits was not merged" in (
        fleet.ok("show", more["task"])
    )
    assert "stays" not in fleet.ok("show", merged["task"])
    assert told(fleet, merged) == before


def done(fleet: Fleet, title: str, worker: str = "01") -> dict[str, Any]:
    """A task's pull request, which is being followed."""
    issue = fleet.github.add_issue(REPO, title, WORK)
    fleet.ok("dispatch", "-i", f"{REPO}#{issue}", "-w", worker)
    return wait_until(
        lambda: next((row for row in rows(fleet) if row["issue"] == issue), {}), 90, fleet.logs
    )


def seen_of(fleet: Fleet, pull: dict[str, Any], state: str) -> dict[str, Any]:
    number = pull["number"]
    wanted = {"number": number, "state": state}
    return wait_until(
        lambda: next((row for row in rows(fleet, "--all") if wanted.items() <= row.items()), {}),
        90,
        fleet.logs,
    )


def rows(fleet: Fleet, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.json("prs", *options)
    return found


def sessions(home: Home) -> list[str]:
    return sorted(path.stem for path in home.claude.glob("projects/*/*.jsonl"))


def branches(clone: Path) -> list[str]:
    return run(clone, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def told(fleet: Fleet, pull: dict[str, Any]) -> tuple[str, ...]:
    """What people can see of its task's work."""
    task = pull["task"]
    shown = fleet.json("show", task)
    return (
        fleet.ok("logs", task),
        fleet.ok("inspect", task),
        fleet.ok("diff", task),
        str([shown["attempts"], shown["timeline"], shown["changes"]]),
    )
