"""What the real claude may spend: each ceiling ends it, over restarts and over several at once, and
all that counts dollars agrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import Fleet
from tests.contract.binaries import found as claudes
from tests.needs import need, require
from tests.standins.messages import Request, Turn, Usage, bash
from tests.waiting import wait_until
from tests.walls import WALLS
from workerhost.claude.prices import given_usd, price

GIVEN, SAID = 100_000, 100  # tokens of each turn
TURNS = 40  # more than any of these ceilings allows
CENT = 0.005


def fleet_with(**settings: str) -> Iterator[Fleet]:
    binaries = claudes()
    require(binaries, "a claude binary")
    require(WALLS, "bubblewrap and socat that work")
    need("gh")
    with running_fleet(binaries[-1].path, settings) as fleet:
        fleet.ok("init", "03")
        yield fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    yield from fleet_with()


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """With one ceiling that its workers share."""
    yield from fleet_with(**request.param)


def works_on(fleet: Fleet, number: int) -> None:
    """It commits, and goes on and on. No two of its calls are the same."""
    usage = Usage(input_tokens=GIVEN, output_tokens=SAID)
    begin = "echo x > draft.txt && git add -A && git commit -q -m 'Begin'"
    calls = (begin, *(f"sleep 0.2; echo step {at} >> steps.txt" for at in range(TURNS)))
    turns: list[Turn] = [bash(call, usage=usage) for call in calls]
    fleet.api.script(*turns, match=f"issue-{number}")


def issue(fleet: Fleet, *options: str) -> tuple[int, str]:
    number = fleet.github.add_issue("acme/app", "Never ends", "Do it.")
    works_on(fleet, number)
    said = fleet.json("dispatch", "-r", "acme/app", "-i", str(number), *options)
    return number, str(said["task"])


def asked(fleet: Fleet, number: int) -> list[Request]:
    return [one for one in fleet.api.requests if one.tools and f"issue-{number}\n" in one.text]


def sessions(fleet: Fleet, task: str) -> set[str]:
    return {one["session"] for one in fleet.json("show", task)["attempts"]}


def turn_usd(fleet: Fleet, number: int) -> float:
    model = str(asked(fleet, number)[0].body["model"])
    return given_usd(model, {"input_tokens": GIVEN}) + price(model).said * SAID / 1e6


def billed(fleet: Fleet, number: int) -> float:
    """By the API's own count."""
    return len(asked(fleet, number)) * turn_usd(fleet, number)


def cost_of(fleet: Fleet, number: int) -> float:
    rows = fleet.json("cost", "--by", "issue")["rows"]
    return float(next(row["usd"] for row in rows if row["name"] == f"acme/app#{number}"))


def test_task_s_dollars_hold_over_its_restarts(fleet: Fleet) -> None:
    number, task = issue(fleet, "--max-usd", "0.5")
    first = fleet.finished(task, 90)
    one = turn_usd(fleet, number)
    early = billed(fleet, number)
    fleet.ok("restart", task, "--max-usd", "1")
    wait_until(lambda: billed(fleet, number) > early, 60, fleet.logs)
    second = fleet.finished(task, 90)

    for ended, ceiling in ((first, 0.5), (second, 1.0)):
        assert (ended["outcome"]["kind"], ended["outcome"]["reason"]) == ("failed", "budget"), ended
        assert ceiling <= ended["cost_usd"] <= ceiling + one
        assert not ended["cost_estimated"]
        assert ended["outcome"]["pushed"]
    assert f"cw restart {task} --max-usd" in first["outcome"]["message"]
    assert second["cost_usd"] == pytest.approx(billed(fleet, number), abs=CENT)
    assert cost_of(fleet, number) == pytest.approx(billed(fleet, number), abs=CENT)
    assert len(sessions(fleet, task)) == 1
    said = [one.body for one in fleet.github.issue("acme/app", number).comments]
    assert sum("0.5" in body and "--max-usd" in body for body in said) == 1, said


def test_label_of_the_issue_limits_its_turns(fleet: Fleet) -> None:
    number = fleet.github.add_issue("acme/app", "Never ends", "Do it.", labels=["budget:3turns"])
    works_on(fleet, number)
    task = fleet.json("dispatch", "-r", "acme/app", "-i", str(number))["task"]

    ended = fleet.finished(task, 90)

    assert ended["outcome"]["reason"] == "budget", ended
    assert len(asked(fleet, number)) <= 4
    assert "--max-turns 6" in ended["outcome"]["message"]


def test_minutes_end_a_task(fleet: Fleet) -> None:
    _, task = issue(fleet, "--max-minutes", "0.05")

    ended = fleet.finished(task, 90)

    assert ended["outcome"]["reason"] == "budget", ended
    assert "--max-minutes 0.1" in ended["outcome"]["message"]


@pytest.mark.parametrize(
    "shared",
    [
        {"CW_BUDGET_FLEET_DAY": "1usd"},
        {"CW_BUDGET_FLEET_MONTH": "1usd"},
        {"CW_BUDGET_ACCOUNT_DAY": "1usd"},
    ],
    indirect=True,
    ids=lambda settings: next(iter(settings)),
)
def test_three_at_once_do_not_overspend_what_they_share(shared: Fleet) -> None:
    numbers, tasks = zip(*(issue(shared) for _ in range(3)), strict=True)

    def waits() -> bool:
        rows = shared.json("queue")
        held = [row for row in rows if row["state"] == "queued" and "is used up" in row["reason"]]
        return len(held) == len(tasks)

    wait_until(waits, 120, shared.logs)
    spent = sum(billed(shared, number) for number in numbers if asked(shared, number))
    total = shared.json("cost")["total"]
    account = shared.json("accounts")[0]

    one = turn_usd(shared, next(number for number in numbers if asked(shared, number)))
    assert 0 < spent <= 1.0 + one
    assert total["usd"] == pytest.approx(spent, abs=CENT)
    assert account["today_usd"] == pytest.approx(spent, abs=CENT)
    assert all(shared.json("show", task)["state"] == "queued" for task in tasks)
    assert all(len(sessions(shared, task)) <= 1 for task in tasks)


@pytest.mark.parametrize("shared", [{"CW_BUDGET_WORKER_DAY": "0.5usd"}], indirect=True)
def test_worker_s_day_ends_that_worker_s_runs_alone(shared: Fleet) -> None:
    first, task = issue(shared, "-w", "01")

    def why() -> str:
        row: dict[str, Any] = next(
            (r for r in shared.json("queue") if r["about"]["task"] == task), {}
        )
        return str(row.get("reason", "")) if row.get("state") == "queued" else ""

    said = wait_until(lambda: why() if "is used up" in why() else "", 60, shared.logs)
    second, _ = issue(shared, "-w", "02")
    wait_until(lambda: asked(shared, second), 60, shared.logs)

    assert "worker 01's budget for today (0.5usd) is used up until" in said
    assert 0 < billed(shared, first) <= 0.5 + turn_usd(shared, first)
    assert len(sessions(shared, task)) == 1
