"""The window of a subscription closes while the real claude works, and opens again: nobody has to
look. So does a token that is refused, once somebody has mended it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from cw.broker.address import broker_url
from cw.homes.files import write_private
from cw.keyring import load_keyring
from cw.settings import load_settings
from cw.store.store import open_store
from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import Fleet
from tests.acceptance.test_real_claude import PUSH_AND_OPEN, pulls
from tests.contract.binaries import found as claudes
from tests.needs import need, require
from tests.standins.messages import Turn, bash, error, text, usage_limit
from tests.waiting import wait_until
from tests.walls import WALLS

WORKERS = ("01", "02", "03")
TASKS = 6
SPREAD = 1.0
TOKEN = "sk-ant-oat01-of-the-team"
SETTINGS = {
    "ANTHROPIC_API_KEY": "",
    "CLAUDE_CODE_OAUTH_TOKEN": TOKEN,
    "CW_ACCOUNT_SPREAD": str(SPREAD),
    "CW_RUN_TIME_LIMIT": "600",
}


@pytest.fixture(scope="module")
def team() -> Iterator[Fleet]:
    """Three workers on one token."""
    binaries = claudes()
    require(binaries, "a claude binary")
    require(WALLS, "bubblewrap and socat that work")
    need("gh")
    with running_fleet(binaries[-1].path, SETTINGS) as fleet:
        fleet.ok("init", "03")
        yield fleet


def commit(number: int) -> Turn:
    return bash(f"echo fixed > fix-{number}.txt && git add -A && git commit -q -m 'Fix #{number}'")


def dispatched(fleet: Fleet, number: int, *turns: Turn) -> str:
    fleet.api.script(*turns, match=f"issue-{number}")
    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number))
    return str(said["task"])


def requests_of(fleet: Fleet, numbers: list[int]) -> list[tuple[float, str, int]]:
    """When the model was asked about these issues (monotonic), in which session, after how many
    answers of tools.
    """
    marks = [re.compile(rf"issue-{number}\b") for number in numbers]
    return [
        (one.at, one.session, one.rounds)
        for one in fleet.api.requests
        if one.tools and any(mark.search(one.text) for mark in marks)
    ]


def sessions(fleet: Fleet, task: str) -> set[str]:
    return {one["session"] for one in fleet.json("show", task)["attempts"]}


def test_window_that_closes_in_mid_run_costs_one_request_an_agent_and_no_task(
    team: Fleet,
) -> None:
    numbers = [team.github.add_issue("acme/app", f"Fix {at}", "Do it.") for at in range(TASKS)]
    until = int(time.time()) + 45  # until all three are in the middle, on a busy machine
    reset = time.monotonic() + until - time.time()
    tasks = {
        number: dispatched(
            team,
            number,
            commit(number),
            usage_limit_before_the_push(until, number),
            text(f"Fixed #{number}."),
        )
        for number in numbers
    }
    account = wait_until(lambda: held(team), 60, team.logs)
    said = team.json("queue")
    ends = {number: team.finished(task, 240)["outcome"] for number, task in tasks.items()}

    asked = requests_of(team, numbers)
    refused = [session for at, session, rounds in asked if rounds == 1 and at < reset]
    assert account["workers"] == list(WORKERS)
    assert any("is held until" in row["reason"] for row in said if row["state"] == "queued"), said
    assert len(refused) == len(set(refused)) <= len(WORKERS)
    assert len({session for at, session, _ in asked if at < reset}) <= len(WORKERS)
    assert all(end["kind"] == "succeeded" for end in ends.values()), ends
    assert all(len(pulls(team, number)) == 1 for number in numbers)
    assert all(len(sessions(team, task)) == 1 for task in tasks.values())
    starts = started(team, list(tasks.values()))
    gaps = [later - earlier for earlier, later in pairwise(starts)][: len(WORKERS) - 1]
    assert min(gaps) >= SPREAD, gaps


def started(fleet: Fleet, tasks: list[str]) -> list[float]:
    """When the last runs of these were begun, as the broker's clock has it."""
    settings = load_settings(fleet.env())[0]
    store = open_store(broker_url(settings), load_keyring(settings))
    found = [store.tasks.get(task) for task in tasks]
    store.connection.close()
    return sorted(task.started_at.timestamp() for task in found if task and task.started_at)


def usage_limit_before_the_push(until: float, number: int) -> Turn:
    """Until then the window is closed; after that the agent pushes."""
    closed, push = usage_limit(until), bash(PUSH_AND_OPEN.format(number=number))
    return Turn(blocks=push.blocks, failure=closed.failure, headers=closed.headers)


def held(team: Fleet) -> dict[str, Any]:
    return next((row for row in team.json("accounts") if row["state"] == "held"), {})


def test_refused_token_costs_one_request_and_its_tasks_go_on_once_it_is_mended(
    team: Fleet,
) -> None:
    numbers = [team.github.add_issue("acme/app", f"Mend {at}", "Do it.") for at in range(2)]
    refused = error(403, times=1)  # a 401 is tried again by claude (2.1.332) with the same token
    tasks = [
        dispatched(
            team,
            number,
            commit(number),
            Turn(blocks=bash(PUSH_AND_OPEN.format(number=number)).blocks, failure=refused.failure),
            text("Done."),
        )
        for number in numbers[:1]
    ]
    account = wait_until(lambda: held(team), 60, team.logs)
    wait_until(lambda: team.json("queue"), what="the task that waits")
    tasks.append(dispatched(team, numbers[1], text("Nothing to do.")))
    before = len(requests_of(team, numbers))
    shown = team.ok("status")

    for worker in WORKERS:
        path = team.worker(worker) / ".zshenv"
        write_private(path, path.read_text("utf-8").replace(TOKEN, f"{TOKEN}-2").encode())
    ends = [team.finished(task, 120)["outcome"] for task in tasks]

    assert account["holds"][0]["kind"] == "credential"
    assert "cw accounts --resume" in shown
    assert before == 2  # one that was served, one that was refused
    assert ends[0]["kind"] == "succeeded", ends
    assert len(sessions(team, tasks[0])) == 1
    assert ends[1]["reason"] == "no_changes"
