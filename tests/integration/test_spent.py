"""Cost, turns and time are those of the whole task over its attempts, in every view."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cw.fleet_models import Host, Worker
from cw.models import Event, Outcome
from cw.states import Move, OutcomeKind
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.store import Store

Cw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def broker(cw_environ: dict[str, str], redis_url: str, store: Store) -> None:
    cw_environ["CW_BROKER_URL"] = redis_url
    store.fleet.register_worker(Worker(id="01", host="there", home="/nowhere/01"))
    store.fleet.beat(Host(name="there", workers=1), store.tasks.now())


def run_it(store: Store, task: str) -> int:
    grant = store.tasks.acquire(task, worker="01", host="there", ttl=60, session="s")
    assert isinstance(grant, Grant)
    return grant.fence


def end(store: Store, task: str, fence: int, move: Move, kind: OutcomeKind) -> None:
    outcome = Outcome(
        kind=kind, reason="x", message="so it ended", cost_usd=0.25, turns=4, duration_s=60
    )
    assert store.tasks.settle(
        Holder(task, "01", fence),
        Settlement(move, outcome),
    )


@pytest.fixture
def task(cw: Cw, store: Store, git_repo: Path) -> str:
    """Ran twice: it was stopped, and goes on."""
    done = cw("dispatch", "-r", str(git_repo), "-p", "Do it", "-w", "01", "--json")
    identity = str(json.loads(done.stdout)["task"])
    end(store, identity, run_it(store, identity), Move.STOP, OutcomeKind.STOPPED)
    assert cw("restart", identity).returncode == 0
    return identity


def test_finished_task_costs_what_all_its_runs_cost(cw: Cw, store: Store, task: str) -> None:
    end(store, task, run_it(store, task), Move.FINISH, OutcomeKind.SUCCEEDED)

    row = json.loads(cw("history", "--json").stdout)[0]
    story = json.loads(cw("show", task, "--json").stdout)

    assert (row["cost_usd"], row["turns"], row["duration_s"]) == (0.5, 8, 120)
    assert (story["cost_usd"], story["turns"], story["duration_s"]) == (0.5, 8, 120)
    assert "$0.50" in cw("history").stdout
    assert "$0.50, 8 turns, 2m 00s" in cw("show", task).stdout
    assert "2m 00s, 8 turns, $0.50" in cw("watch", task).stdout


def test_running_task_costs_what_its_earlier_runs_cost_and_this_one(
    cw: Cw, store: Store, task: str
) -> None:
    run_it(store, task)
    at = store.tasks.now()
    store.events.append(task, [Event(at=at, kind="text", text="Hm.", data={"turns": 3})])

    row = json.loads(cw("status", "01", "--json").stdout)["workers"][0]

    assert (row["cost_usd"], row["turns"]) == (0.25, 7)


def test_run_that_has_said_nothing_yet_shows_what_was_spent_before(
    cw: Cw, store: Store, task: str
) -> None:
    run_it(store, task)

    row = json.loads(cw("status", "01", "--json").stdout)["workers"][0]

    assert (row["cost_usd"], row["turns"]) == (0.25, 4)
