"""What people do ends a repair, and what an agent does is not taken for theirs."""

from __future__ import annotations

import pytest

from cw.models import Outcome
from cw.operations.pulls.giving_back import give_back
from cw.pulls.record import Cause
from cw.states import Move, OutcomeKind, State
from tests.integration.assigning import BOT
from tests.integration.following import Road
from tests.integration.repairing import (
    PERSON,
    REPO,
    Yard,
    assert_ended,
    does,
    hands,
    hub,
    red,
    road,
    yard,
)
from tests.standins.github import GitHubStandIn

__all__ = ["hands", "hub", "road", "yard"]  # fixtures


@pytest.mark.parametrize("end", ["merge", "close", "stop", "push", "assign", "label"])
@pytest.mark.parametrize("running", [True, False])
def test_what_a_person_does_ends_a_repair_in_the_same_pass(
    road: Road, hub: GitHubStandIn, yard: Yard, end: str, running: bool
) -> None:
    number = red(road, hub)
    task = yard.repair()
    if running:
        yard.take(task)
    does(road, number, end)
    road.follow()

    assert_ended(road, task, number, end, running=running)
    assert (road.store.tasks.claimed_by(*task.spec.key) is None) is not running


def test_run_that_was_stopped_for_a_person_is_over_and_keeps_no_issue(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    task = yard.repair()
    grant = yard.take(task)
    hub.merge_pull(REPO, number)
    road.follow()
    stopped = Outcome(kind=OutcomeKind.STOPPED, reason="stopped", message="the run was stopped")
    yard.end(task, grant, stopped, Move.STOP)
    road.follow()

    found = road.store.tasks.get(task.spec.id)
    assert found
    assert found.outcome
    assert (found.state, found.outcome.reason) == (State.DONE, "repair_over")
    assert road.store.tasks.claimed_by(*task.spec.key) is None


def test_repair_that_a_person_stops_is_theirs_until_they_give_it_back(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    task = yard.repair()
    road.store.tasks.want_stop(task, "ann")
    road.follow()
    road.follow()
    taken = road.record(number)
    give_back(road.store, f"#{number}")
    road.follow()

    assert (taken.state, taken.waits) == ("hands off", "its repair was ended: stopped by ann")
    assert road.state(number) == "repairing"
    assert road.record(number).tries(Cause.CHECKS) == 2


def test_push_of_the_agent_that_mends_it_is_not_a_persons(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    yard.take(yard.repair())
    hub.add_commit(REPO, road.branch(number), {"half.txt": "x\n"}, actor=BOT)
    road.follow()

    assert road.state(number) == "repairing"
    assert road.record(number).waits == "worker 01 mends it: checks, try 1 of 3"


@pytest.mark.parametrize(("who", "state"), [(PERSON, "hands off"), (BOT, "repairing")])
def test_push_that_is_first_seen_after_the_end_of_a_repair_that_failed(
    road: Road, hub: GitHubStandIn, yard: Yard, who: str, state: str
) -> None:
    """A person's is theirs; the agent's own means another try."""
    number = red(road, hub)
    hub.add_commit(REPO, road.branch(number), {"b": "c\n"}, actor=who)
    hub.check(REPO, road.branch(number), "test", "failure")
    yard.lies(yard.repair(), "push_failed", "the remote's branch has commits that are not here")
    road.follow()
    road.follow()

    assert road.state(number) == state
    assert len(yard.repairs()) == (state == "repairing")
