"""From pull request to merge by beat alone: a killed host, beat or broker forgets nothing, and what
waited for the issue is handed out at the merge.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cw.services import record
from cw.settings import load_settings
from tests.acceptance.beating import REPO, beating
from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until

WORK = "rehearse: pace 0.01\nrehearse: commit-only\n"


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """One worker; beat looks at pull requests each second, and assigns by itself once an hour."""
    settings = {"CW_ASSIGN_EVERY": "3600", "CW_PULLS_EVERY": "1", "CW_RECONCILE_EVERY": "0"}
    with beating(settings) as fleet:
        yield fleet


@pytest.fixture
def seldom() -> Iterator[Fleet]:
    """Beat does nothing by itself while a test lasts."""
    hour = "3600"
    settings = {"CW_ASSIGN_EVERY": hour, "CW_PULLS_EVERY": hour, "CW_RECONCILE_EVERY": "0"}
    with beating(settings | {"CW_PULLS_QUIET": "0"}) as fleet:
        yield fleet


def test_pull_request_is_followed_whatever_is_killed_until_its_merge_frees_the_next_issue(
    fleet: Fleet,
) -> None:
    hub = fleet.github
    first = hub.add_issue(REPO, "First", WORK)
    second = hub.add_issue(REPO, "Second", f"Blocked by #{first}\n{WORK}")
    fleet.ok("dispatch", "-i", f"{REPO}#{first}")
    born = seen(fleet, "checking")
    hub.add_comment(REPO, born["number"], "I take it from here.", author="acme")
    taken = seen(fleet, "hands off")

    for name in ("host", "beat", "broker"):
        os.kill(pid_of(fleet, name), signal.SIGKILL)
        asked = len(hub.requests.matching("POST", "/graphql$"))
        wait_until(
            lambda asked=asked: len(hub.requests.matching("POST", "/graphql$")) > asked + 1,  # type: ignore[misc]
            60,
            lambda: f"more looks\n{fleet.logs()}",
        )
        after = seen(fleet, "hands off")
        assert (after["task"], after["waits"]) == (taken["task"], "acme said so")
    said = fleet.ok("prs", "resume", f"{REPO}#{born['number']}")
    seen(fleet, "checking")
    hub.merge_pull(REPO, born["number"])
    merged = seen(fleet, "merged", "--all")
    wait_until(lambda: second in issues_with_a_task(fleet), 60, "the next issue's task")

    assert said == f"{REPO}#{born['number']} is followed again\n"
    assert (merged["issue"], merged["repo"]) == (first, REPO)
    assert hub.issue(REPO, first).state == "closed"
    comments = [comment.body for comment in hub.issue(REPO, born["number"]).comments]
    assert comments == ["I take it from here."]
    assert "(merged" in fleet.ok("show", merged["task"])


def test_merge_by_command_hands_out_what_waited_although_beat_looks_once_an_hour(
    seldom: Fleet,
) -> None:
    fleet, hub = seldom, seldom.github
    first = hub.add_issue(REPO, "First", WORK)
    second = hub.add_issue(REPO, "Second", f"Blocked by #{first}\n{WORK}")
    fleet.ok("dispatch", "-i", f"{REPO}#{first}")
    wait_until(lambda: hub.pulls(REPO), 60, fleet.logs)
    number = hub.pulls(REPO)[0].number
    hub.check(REPO, f"issue-{first}", "test", "success")
    wait_until(lambda: ready(fleet, number), 60, fleet.logs)
    fleet.ok("merge", f"{REPO}#{number}", "--yes")

    wait_until(lambda: second in issues_with_a_task(fleet), 60, fleet.logs)


def ready(fleet: Fleet, number: int) -> bool:
    rows = json_rows(fleet.cw("prs", "--now", "--json").stdout or "[]")
    return (number, "ready") in {(row["number"], row["state"]) for row in rows}


def seen(fleet: Fleet, state: str, *options: str) -> dict[str, Any]:
    """The first issue's pull request, once it is there and in this state."""

    def row() -> dict[str, Any]:
        done = fleet.cw("prs", "--json", *options)
        rows = [] if done.returncode else json_rows(done.stdout)
        return next((one for one in rows if one["state"] == state), {})

    return wait_until(row, 90, lambda: f"a pull request that is {state}\n{fleet.logs()}")


def json_rows(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def pid_of(fleet: Fleet, name: str) -> int:
    """Of a service that `cw up` runs."""

    def running() -> int:
        up = record.read(load_settings(fleet.env())[0])
        found = [one for one in up.services if one.name == name and one.ready] if up else []
        return found[0].process.pid if found and found[0].process else 0

    return wait_until(running, 60, f"the pid of {name}")


def issues_with_a_task(fleet: Fleet) -> set[int]:
    done = fleet.cw("status", "--json")
    rows = json.loads(done.stdout)["workers"] if done.returncode == 0 else []
    busy = {row["about"]["issue"] for row in rows if row["about"]}
    return busy | {row["issue"] for row in fleet.json("history")}
