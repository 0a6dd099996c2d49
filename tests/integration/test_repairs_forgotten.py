"""What was cut off or forgotten of repairs is neither done twice nor counted less."""

from __future__ import annotations

import pytest

from cw.pulls.record import Cause
from cw.store.store import Store
from tests.integration.assigning import BOT
from tests.integration.following import Road
from tests.integration.repairing import PERSON, REPO, Yard, hands, hub, red, road, yard
from tests.standins.github import GitHubStandIn

__all__ = ["hands", "hub", "road", "yard"]  # fixtures


def test_order_that_was_cut_off_before_it_was_recorded_counts_once(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    first = yard.repair()
    road.store.tasks.withdraw(first.spec)
    road.follow()

    assert road.record(number).tries(Cause.CHECKS) == 1
    assert yard.repair().spec.id != first.spec.id


def test_person_who_dispatches_the_issue_meanwhile_has_it(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    first = yard.repair()
    road.store.tasks.withdraw(first.spec)
    theirs = first.spec.model_copy(update={"id": "01M8M0000000000000000000ZZ", "repair": None})
    road.store.tasks.create(theirs, "")
    road.follow()

    assert yard.repairs() == []
    assert road.state(number) == "watching"
    assert road.record(number).tries(Cause.CHECKS) == 0


def test_broker_that_forgot_is_told_of_what_was_tried_by_the_archives(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    yard.lies(yard.repair())
    road.follow()
    road.follow()
    yard.lies(yard.repair())
    road.follow()
    tasks = road.store.tasks.done_tasks(10)
    road.store.connection.client.flushall()
    road.office.staff("01")
    for task in tasks[::-1]:
        assert road.store.tasks.rebuild(task)
        road.follow()
    road.follow()

    assert road.record(number).tries(Cause.CHECKS) == 3
    assert road.record(number).cost_usd == pytest.approx(1.0)
    assert len(yard.repairs()) == 1


@pytest.mark.parametrize(("who", "state"), [(PERSON, "hands off"), (BOT, "repairing")])
def test_broker_that_forgot_asks_who_has_pushed_since_a_repair_that_failed(
    road: Road, hub: GitHubStandIn, yard: Yard, who: str, state: str
) -> None:
    number = red(road, hub)
    hub.add_commit(REPO, road.branch(number), {"b": "c\n"}, actor=who)
    hub.check(REPO, road.branch(number), "test", "failure")
    yard.lies(yard.repair())
    tasks = road.store.tasks.done_tasks(10)
    road.store.connection.client.flushall()
    road.office.staff("01")
    for task in tasks:
        assert road.store.tasks.rebuild(task)
    road.follow()
    road.follow()

    assert road.state(number) == state


def test_running_repair_is_known_again_to_a_broker_that_forgot(
    road: Road, hub: GitHubStandIn, yard: Yard, store: Store
) -> None:
    number = red(road, hub)
    repair, made = yard.repair(), road.record_task(number)
    store.connection.client.flushall()
    assert store.tasks.rebuild(made)
    store.tasks.create(repair.spec, "")
    road.follow()
    known = road.record(number)
    yard.lies(yard.repair())
    road.follow()
    road.follow()

    assert (known.state, known.repair and known.repair.task) == ("repairing", repair.spec.id)
    assert road.record(number).tries(Cause.CHECKS) == 2
