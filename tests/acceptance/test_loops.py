"""The real claude goes round in circles: it is stopped, its work is pushed, and a person is told
why and what to type.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import Fleet
from tests.contract.binaries import found as claudes
from tests.needs import need, require
from tests.standins.messages import MessagesStandIn, Request, Turn, bash, text, together, tool
from tests.waiting import wait_until
from tests.walls import WALLS

REPO = "acme/app"
CALLS = 4
MANY = 30  # calls: far more than the limit, also when the host is slow to look
SECRET = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"  # no worker has it; its shape is known
FAILING = bash(f"echo 'no rule for {SECRET}' >&2; exit 2")


@pytest.fixture(scope="module")
def impatient() -> Iterator[Fleet]:
    binaries = claudes()
    require(binaries, "a claude binary")
    require(WALLS, "bubblewrap and socat that work")
    need("gh")
    with running_fleet(binaries[-1].path, {"CW_RUN_LOOP_CALLS": str(CALLS)}) as one:
        yield one


def commit(number: int) -> Turn:
    return bash(f"echo fixed > fix-{number}.txt && git add -A && git commit -q -m 'Fix #{number}'")


def dispatched(fleet: Fleet, number: int) -> str:
    return str(fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "01")["task"])


def resumed(number: int, api: MessagesStandIn, *turns: Turn) -> None:
    def goes_on(request: Request) -> bool:
        return f"issue-{number}" in request.text and "Your run was interrupted" in request.text

    api.script(*turns, match=goes_on)


def test_agent_in_a_circle_is_stopped_and_goes_on_when_a_person_says_so(
    impatient: Fleet,
) -> None:
    fleet = impatient
    number = fleet.github.add_issue(REPO, "Fix it", "It does not build.")
    fleet.api.script(commit(number), *[FAILING] * MANY, text("Done."), match=f"issue-{number}")

    task = dispatched(fleet, number)
    end = fleet.finished(task)["outcome"]

    assert (end["kind"], end["reason"]) == ("failed", "looping"), (end, fleet.logs())
    assert (end["commits"], end["pushed"]) == (1, True)
    assert fleet.github.heads(REPO)[f"issue-{number}"] == end["head"]
    asked = len([one for one in fleet.api.requests if f"issue-{number}" in one.text])
    assert CALLS < asked < MANY
    wait_until(lambda: fleet.github.issue(REPO, number).comments, what="the comment")
    (comment,) = (one.body for one in fleet.github.issue(REPO, number).comments)
    assert "went round in circles" in comment
    assert "no rule for" in comment
    assert "cw restart" in comment
    assert SECRET not in comment
    assert SECRET not in end["message"]
    assert f"cw restart {task}" in fleet.json("show", task)["next"]
    assert "round in circles" in fleet.ok("show", task)
    assert "round in circles" in fleet.ok("status")
    session = fleet.archive("01")["run"]["session"]

    resumed(number, fleet.api, text("Fixed."))
    fleet.ok("restart", task)
    wait_until(lambda: len(fleet.json("show", task)["attempts"]) > 1, 30, fleet.logs)
    again = fleet.finished(task)["outcome"]

    assert again["kind"] == "succeeded", (again, fleet.logs())
    assert fleet.archive("01")["run"]["session"] == session


def test_subagent_in_a_circle_is_one_too(impatient: Fleet) -> None:
    fleet = impatient
    number = fleet.github.add_issue(REPO, "Look it up", "Ask another one.")
    helper = {
        "description": "Look",
        "prompt": f"helper-{number}",
        "subagent_type": "general-purpose",
    }
    fleet.api.script(tool("Agent", helper), text("Done."), match=f"issue-{number}")

    def is_helper(request: Request) -> bool:
        return f"helper-{number}" in str(request.messages[:1]) and "Ask another" not in request.text

    fleet.api.script(*[FAILING] * MANY, text("Nothing."), match=is_helper)
    end = fleet.finished(dispatched(fleet, number))["outcome"]

    assert end["reason"] == "looping", (end, fleet.logs())


WAITS = bash("sleep 0.1; echo 'build pending'; exit 8")


def test_agent_that_waits_tests_after_edits_or_asks_at_once_is_left_alone(
    impatient: Fleet,
) -> None:
    fleet = impatient
    number = fleet.github.add_issue(REPO, "Wait for it", "Please.")
    fix = bash(f"date +%N >> fix-{number}.txt; echo 'it does not build' >&2; exit 2")
    edits = [
        turn for at in range(CALLS + 2) for turn in (bash(f"echo {at} > fix-{number}.txt"), FAILING)
    ]
    turns = (*[WAITS] * (CALLS + 2), *edits, together(*[fix] * (CALLS + 2)), commit(number))
    fleet.api.script(*turns, text("Fixed."), match=f"issue-{number}")

    end = fleet.finished(dispatched(fleet, number))["outcome"]

    assert (end["kind"], end["commits"]) == ("succeeded", 1), (end, fleet.logs())
