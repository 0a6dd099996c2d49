"""Whom a tag chooses."""

from __future__ import annotations

import pytest

from cw.fleet_models import Worker
from cw.operations.fleet.tags import choose
from cw.states import State
from tests.making import make_spec, make_task

EAST, WEST = Worker(id="e1", host="east"), Worker(id="w1", host="west")
PAUSED = Worker(id="w0", host="west", paused="for lunch")
TWO = {"east", "west"}


def test_only_workers_of_tagged_hosts_are_chosen() -> None:
    assert choose([EAST, WEST], {"west"}, TWO, []) == "w1"
    assert choose([EAST], {"west"}, TWO, []) is None


def test_the_one_with_the_least_before_it_is_chosen() -> None:
    waiting = make_task(State.QUEUED, spec=make_spec(wanted_worker="e1"))

    assert choose([EAST, WEST], TWO, TWO, [waiting]) == "w1"


@pytest.mark.parametrize(("up", "chosen"), [(TWO, "w1"), (set(), "w1")])
def test_paused_worker_is_the_last_choice(up: set[str], chosen: str) -> None:
    assert choose([PAUSED, WEST], {"west"}, up, [make_task(State.RUNNING, worker="w1")]) == chosen


def test_worker_of_a_host_that_is_up_comes_before_a_free_one_of_another() -> None:
    load = [make_task(State.RUNNING, worker="e1")]

    assert choose([EAST, WEST], TWO, {"east"}, load) == "e1"
