"""Repositories are renamed, given away and their names given to others, while work on them waits or
runs: the task stays with the repository it was dispatched for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, Fleet
from tests.standins.github import GitHubStandIn
from tests.waiting import wait_until

FAST = "rehearse: pace 0.01\n"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with running_fleet(REHEARSAL, https=True) as one:
        yield one


@pytest.fixture(autouse=True)
def awake(fleet: Fleet) -> Iterator[None]:
    yield
    fleet.cw("resume", "01", "02")


@pytest.fixture
def old(fleet: Fleet) -> str:
    """A repository of this test alone."""
    return add(fleet.github, f"acme/old{next(NUMBERS)}")


def add(hub: GitHubStandIn, name: str) -> str:
    hub.add_repo(name)
    hub.set_permission(name, "bot", "write")
    return name


def issue(fleet: Fleet, repo: str, body: str = "") -> int:
    return fleet.github.add_issue(repo, "Change it", f"{FAST}{body}")


def dispatched(fleet: Fleet, repo: str, number: int, worker: str = "01") -> str:
    told: dict[str, Any] = fleet.json("dispatch", "-r", repo, "-i", str(number), "-w", worker)
    return str(told["task"])


def went_well(fleet: Fleet, task: str, repo: str, number: int) -> None:
    """Pull request, labels and record are those of the repository as it is called now."""
    end = fleet.finished(task)["outcome"]
    assert (end["kind"], end["reason"]) == ("succeeded", "done"), end
    pulls = [one for one in fleet.github.pulls(repo) if one.head == f"issue-{number}"]
    assert [f"/{repo}/pull/{one.number}" in end["pr"] for one in pulls] == [True]
    wait_until(lambda: not fleet.github.issue(repo, number).labels, what="the label to go")


def rename(old: str, new: str) -> Callable[[GitHubStandIn], None]:
    return lambda hub: hub.rename_repo(old, new)


MOVES = {
    "renamed": "acme/new",
    "given to another owner": "globex/old",
    "both": "globex/new",
    "its case changed": "Acme/Old",
}


@pytest.mark.parametrize("to", MOVES.values(), ids=MOVES.keys())
@pytest.mark.parametrize("when", ["while it waits", "while it runs"])
def test_task_follows_its_repository(fleet: Fleet, old: str, to: str, when: str) -> None:
    new = f"{to}{old.removeprefix('acme/old')}"
    number = issue(fleet, old, "rehearse: slow 3" if when == "while it runs" else "")
    if when == "while it waits":
        fleet.ok("pause", "01")
    task = dispatched(fleet, old, number)
    if when == "while it runs":
        wait_until(lambda: fleet.worker("01").joinpath("run/worker.log").exists(), what="a run")
    hub = fleet.github
    hub.rename_repo(old, new)
    hub.set_permission(new, "bot", "write")
    fleet.ok("resume", "01")

    went_well(fleet, task, new, number)


@pytest.mark.parametrize("first", ["the old name", "the new name"])
def test_issue_has_one_task_under_whichever_name(fleet: Fleet, old: str, first: str) -> None:
    new = old.replace("old", "new")
    fleet.ok("pause", "01", "02")
    number = issue(fleet, old)
    fleet.github.rename_repo(old, new)
    names = [old, new, new.upper()] if first == "the old name" else [new, old, old.upper()]
    task = dispatched(fleet, names[0], number)

    for name in names[1:]:
        again = fleet.cw("dispatch", "-r", name, "-i", str(number), "-w", "02")
        assert (again.returncode, task in again.stderr) == (3, True), again.stderr
    assert {one["about"]["repo"] for one in fleet.json("status")["waiting"]} == {new}
    assert fleet.github.issue(new, number).labels == ("worker:01",)
    fleet.ok("cancel", task)


def test_task_stays_where_it_was_when_another_repository_takes_the_name(
    fleet: Fleet, old: str
) -> None:
    new = old.replace("old", "new")
    number = issue(fleet, old)
    fleet.ok("pause", "01", "02")
    task = dispatched(fleet, old, number)
    fleet.github.rename_repo(old, new)
    add(fleet.github, old)
    other = issue(fleet, old)
    assert other == number
    second = dispatched(fleet, old, other, "02")

    fleet.ok("resume", "01", "02")

    went_well(fleet, task, new, number)
    went_well(fleet, second, old, other)


def test_writes_of_a_finished_task_reach_the_repository_under_its_new_name(
    fleet: Fleet, old: str
) -> None:
    new = old.replace("old", "new")
    number = issue(fleet, old, "rehearse: lie")
    task = dispatched(fleet, old, number)
    fleet.github.fault(method="POST", path_regex="/comments$", status=503, times=1)
    fleet.finished(task)
    fleet.github.rename_repo(old, new)

    wait_until(lambda: fleet.github.issue(new, number).comments, what="the comment")
    assert fleet.json("outbox") == []


def test_issue_that_was_transferred_is_named_at_dispatch(fleet: Fleet, old: str) -> None:
    there = add(fleet.github, old.replace("old", "there"))
    number = issue(fleet, old)
    new = fleet.github.transfer_issue(old, number, there)

    said = fleet.cw("dispatch", "-r", old, "-i", str(number))

    assert said.returncode == 2
    assert f"was transferred to {there}#{new}" in said.stderr
    assert said.stderr.count("\n") == 1
