"""`cw review --ask`: which worker is asked to read what, and what is shown of it; against the
stand-in over HTTP, with a real store.
"""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from typing import Any

import pytest

from cw.models import Outcome
from cw.states import Mode, Move, OutcomeKind, State
from cw.store.lease_values import Grant, Holder, Settlement
from tests.conftest import Cw
from tests.integration.assigning import BOT, HOST
from tests.integration.following import Road
from tests.integration.test_follow_pulls import REPO, hands, hub, road
from tests.integration.test_merge import ready
from tests.standins.github import GitHubStandIn

__all__ = ["hands", "hub", "road"]  # fixtures


@pytest.fixture
def number(road: Road) -> int:
    """That worker 01 has made; 02 is there as well."""
    road.office.staff("01", "02")
    (made,) = ready(road, {"a": "1\n"})
    return made


def ask(road: Road, cw: Cw, *typed: str) -> list[dict[str, Any]]:
    done = road.cw(cw, "review", "--ask", "--json", *typed)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def listed(road: Road, cw: Cw, number: int) -> dict[str, Any]:
    (sheet,) = json.loads(road.cw(cw, "review", "--json", str(number)).stdout)
    found: dict[str, Any] = sheet["opinion"]
    return found


def end(road: Road, task: str, kind: OutcomeKind, report: str) -> None:
    worker = road.store.tasks.get(task)
    assert worker
    name = worker.spec.wanted_worker or "02"
    grant = road.store.tasks.acquire(task, worker=name, host=HOST, ttl=600, session="s")
    assert isinstance(grant, Grant)
    outcome = Outcome(kind=kind, reason="done", message="done", report=report)
    assert road.store.tasks.settle(
        Holder(task, name, grant.fence), Settlement(Move.FINISH, outcome)
    )


def test_worker_that_did_not_write_it_is_asked_once_for_each_head(
    road: Road, hub: GitHubStandIn, cw: Cw, number: int
) -> None:
    (first,) = ask(road, cw)
    (again,) = ask(road, cw)
    head = hub.add_commit(REPO, road.branch(number), {"b": "1\n"}, actor=f"{BOT}[bot]")
    (new,) = ask(road, cw, str(number))

    task = road.store.tasks.get(first["task"])
    assert task
    assert (task.spec.mode, task.spec.wanted_worker) == (Mode.READ, "02")
    assert (task.spec.repo, task.spec.issue, task.state) == (REPO, None, State.QUEUED)
    assert again == first
    assert (new["task"] != first["task"], new["head"]) == (True, head)
    assert f"git diff origin/main...{head}\n" in road.store.tasks.prompt(new["task"])


def test_what_it_says_is_shown_beside_the_diff(road: Road, cw: Cw, number: int) -> None:
    (row,) = ask(road, cw, str(number))

    before = listed(road, cw, number)
    end(road, row["task"], OutcomeKind.SUCCEEDED, "Merge.")
    after = listed(road, cw, number)

    assert (before["worker"], before["state"], before["text"]) == ("02", "waits", "")
    assert (after["worker"], after["state"], after["text"]) == ("02", "done", "Merge.")


def test_one_that_came_to_nothing_is_asked_for_again(road: Road, cw: Cw, number: int) -> None:
    (row,) = ask(road, cw, str(number))
    end(road, row["task"], OutcomeKind.FAILED, "")

    (again,) = ask(road, cw, str(number))

    assert again["task"] != row["task"]


def test_opinion_outlives_the_looks_of_beat(road: Road, cw: Cw, number: int) -> None:
    (row,) = ask(road, cw, str(number))
    road.follow(timedelta(hours=2))

    assert listed(road, cw, number)["task"] == row["task"]


def test_where_there_is_no_other_worker_the_one_that_wrote_it_reads_it(road: Road, cw: Cw) -> None:
    road.office.staff("01")
    (made,) = ready(road, {"a": "1\n"})

    (row,) = ask(road, cw, str(made))

    task = road.store.tasks.get(row["task"])
    assert (row["worker"], task and task.spec.wanted_worker) == ("", None)


def test_people_are_told_who_reads_it(road: Road, cw: Cw, number: int) -> None:
    done: subprocess.CompletedProcess[str] = road.cw(cw, "review", "--ask")
    again = road.cw(cw, "review", "--ask")

    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith(f"{REPO}#{number}: worker 02 reads it: cw show ")
    assert last == "What they think: cw review"
    assert "reads it, asked before: cw show " in again.stdout


def test_without_workers_nobody_is_asked_and_nothing_is_left(road: Road, cw: Cw) -> None:
    (made,) = ready(road, {"a": "1\n"})

    done = road.cw(cw, "review", "--ask")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cw: {REPO}#{made}: there are no workers yet")
    assert road.store.tasks.open_tasks() == []


@pytest.mark.parametrize("more", [["--merge"], ["--head", "0123456"], ["--message", "So"]])
def test_it_goes_with_nothing_else(road: Road, cw: Cw, more: list[str]) -> None:
    done = road.cw(cw, "review", "2", "--ask", *more)

    assert (done.returncode, done.stderr) == (
        2,
        "cw: --ask goes with nothing but pull requests\n",
    )
