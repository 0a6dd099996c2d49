"""A subscription's window closes while eight real claude work, and opens again: nobody looks, and
the API itself has counted what it was asked meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from cw.states import State
from tests.acceptance.teams import WORKERS, Team, assert_spread, new_gate, running_team
from tests.standins.messages import closed, closing, everything_served
from tests.waiting import wait_until

HOUR = 3600.0
MIDDLE_S = 20  # in which all eight commit, ask again and are refused, on a busy machine
CLOSINGS = 10
MODEL_S = 45  # in which an agent is refused and another one served


# Eight claude at once: on a machine that others work on, a test takes several times its minute.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    with running_team() as made:
        yield made


def test_closed_window_costs_one_request_an_agent_then_one_task_tries_and_the_others_follow(
    team: Team,
) -> None:
    account = team.account("closing")
    middle = new_gate(account)
    jobs = team.dispatch(20)
    wait_until(lambda: len(account.sessions()) == len(WORKERS), 120, team.fleet.logs)
    running, until = account.sessions(), int(time.time()) + MIDDLE_S
    reset = time.monotonic() + until - time.time()
    account.refusal = closed(until)
    middle.set()
    wait_until(lambda: len(account.refused) == len(WORKERS), MIDDLE_S, team.fleet.logs)
    canary = new_gate(account)
    wait_until(lambda: account.sessions(reset), 60, team.fleet.logs)
    team.looked_for_work()
    tried = [one for one in account.served if one.at >= reset]
    answered = time.monotonic()
    canary.set()
    team.all_done(jobs)

    assert account.refusals() == Counter(running)
    assert [one for one in account.served if one.session not in running and one.at < reset] == []
    assert len(tried) == 1
    assert_spread(account, answered, [tried[0].session])
    team.assert_delivered(jobs)


def test_workers_on_another_account_take_the_pools_work_meanwhile(team: Team) -> None:
    ours, theirs = WORKERS[:2], WORKERS[2:4]
    spent, other = team.account("spent", ours), team.account("other", theirs)
    team.fleet.ok("pause", *WORKERS[4:])
    middle = new_gate(spent)
    jobs = team.dispatch(6)
    wait_until(lambda: len(spent.sessions()) == len(ours), 120, team.fleet.logs)
    running = spent.sessions()
    spent.refusal = closed(time.time() + HOUR)
    middle.set()
    held = [job for job in jobs if team.session_of(job) & set(running)]
    pool = [job for job in jobs if job not in held]
    team.all_done(pool)
    waiting, states = team.states(held), (team.row("spent")["state"], team.row("other")["state"])
    asked = len(spent.served)
    spent.refusal, spent.gate = everything_served, None
    team.fleet.ok("accounts", "--resume", "spent")
    team.all_done(held)
    team.fleet.ok("resume", *WORKERS[4:])

    assert (set(waiting), states) == ({State.HELD}, ("held", "open"))
    assert spent.refusals() == Counter(running)
    assert asked == len(running)
    assert other.refused == []
    assert {team.task(job).worker for job in pool} <= set(theirs)
    team.assert_delivered(jobs)


def test_ten_closed_windows_in_a_row_fail_no_task(team: Team) -> None:
    """Two were at work when the first closed; the canary alone finds out about each further one."""
    account = team.account("again", WORKERS[:2])
    account.refusal = closing(CLOSINGS, 1)
    jobs = [job for worker in WORKERS[:2] for job in team.dispatch(1, "-w", worker)]
    team.all_done(jobs)

    assert CLOSINGS <= len(account.refused) <= CLOSINGS + 1
    team.assert_delivered(jobs)


def test_limit_of_one_model_leaves_the_others_at_work_and_its_tasks_go_on_at_the_reset(
    team: Team,
) -> None:
    account = team.account("opus", WORKERS[:2])
    until = int(time.time()) + MODEL_S
    reset = time.monotonic() + until - time.time()
    account.refusal = closed(until, "seven_day_opus", "opus")
    (first,) = team.dispatch(1, "-m", "opus", "-w", WORKERS[0])
    wait_until(lambda: team.row("opus")["state"] == "partly", MODEL_S, team.fleet.logs)
    (second,) = team.dispatch(1, "-m", "opus", "-w", WORKERS[1])
    others = team.dispatch(2, "-m", "sonnet", "-w", WORKERS[1])
    wait_until(lambda: account.served, MODEL_S, team.fleet.logs)
    state = team.row("opus")["state"]
    team.all_done([first, second, *others])

    models = [str(one.body["model"]) for one in account.served if one.at < reset]
    assert state == "partly"
    assert len(account.refused) == 1
    assert models
    assert all("sonnet" in model for model in models)
    team.assert_delivered([first, second, *others])
