"""What a pass over pull requests has mended, what not, and when no more: against the stand-in over
HTTP, with a real store. The runs of the repairs are records here.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from cw.errors import BadInputError
from cw.operations.pulls.giving_back import give_back
from cw.pulls.record import Cause
from cw.states import State
from cw.store.signing import is_genuine
from cw.store.store import Store
from tests.integration.assigning import BOT
from tests.integration.following import Road
from tests.integration.repairing import PERSON, REPO, Yard, hands, hub, red, road, yard
from tests.standins.github import GitHubStandIn

__all__ = ["hands", "hub", "road", "yard"]  # fixtures

QUARTER = timedelta(minutes=15)


def test_red_check_becomes_a_repair_of_the_same_worker_and_session(
    road: Road, hub: GitHubStandIn, yard: Yard, store: Store
) -> None:
    number = red(road, hub)

    task, record = yard.repair(), road.record(number)
    repair = task.spec.repair
    assert repair
    assert (task.state, task.spec.wanted_worker, task.spec.issue) == (State.QUEUED, "01", 1)
    assert is_genuine(store.connection.keyring, task.spec, "")
    assert task.spec.branch == road.branch(number)
    assert task.spec.title == road.record_task(number).spec.title  # the issue's, which is approved
    assert (repair.cause, repair.checks) == ("checks", ("CI / test",))
    assert (repair.number, repair.head, repair.session) == (number, record.head, "s")
    assert (repair.author, repair.spent_usd) == (road.tasks[f"{REPO}#{number}"], 0.5)
    assert store.tasks.claimed_by(*task.spec.key) == task.spec.id
    assert (record.state, record.tries(Cause.CHECKS)) == ("repairing", 1)
    assert record.waits == "a repair of it waits for worker 01"
    assert [spec.id for spec in road.office.hinted] == [task.spec.id]
    assert road.notices() == []


def test_mended_one_is_checked_again_and_what_it_took_is_summed_up(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    head = yard.pushes(yard.repair())
    road.follow()
    between = road.state(number)
    hub.check(REPO, head, "test", "success")
    road.follow()
    road.follow()

    record = road.record(number)
    assert between == "checking"
    assert (record.state, record.left, record.cost_usd) == ("ready", head, 0.75)
    assert record.tried == ("checks: 1 commit pushed, pull request open",)
    assert yard.repairs() == []
    assert [kind for kind, _, _ in yard.effects()] == []
    assert road.notices() == []


def test_liar_is_out_after_three_repairs_and_a_person_is_told_once(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    for _ in range(3):
        yard.lies(yard.repair(), message="the agent finished without a single commit")
        road.follow()
        road.follow()
    for _ in range(3):
        road.follow(QUARTER)

    record, effects = road.record(number), list(yard.effects())
    assert (record.state, record.tries(Cause.CHECKS)) == ("needs you", 3)
    assert record.waits == "red: CI / test; mended 3 times in vain"
    assert yard.repairs() == []
    assert [(kind, issue) for kind, issue, _ in effects] == [("comment", number), ("label", 1)]
    assert effects[0][2].count("- checks: the agent finished without a single commit") == 3
    assert effects[1][2] == "blocked"
    assert len(road.notices()) == 1


def test_one_that_was_given_up_is_mended_again_when_a_person_says_so(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    with pytest.raises(BadInputError, match="nobody has taken"):
        give_back(road.store, f"#{number}")
    for _ in range(3):
        yard.lies(yard.repair())
        road.follow()
        road.follow()

    give_back(road.store, f"#{number}")
    road.follow()

    assert road.state(number) == "repairing"
    assert road.record(number).tries(Cause.CHECKS) == 1
    assert [(kind, text) for kind, _, text in yard.effects()][-1] == ("unlabel", "blocked")


def test_pull_request_of_a_week_ago_is_a_persons(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    road.follow()
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow(timedelta(days=7))
    road.follow()

    assert road.record(number).waits == "red: CI / test; it is older than 7 days"
    assert yard.repairs() == []


def test_ceiling_of_the_issue_holds_over_its_repairs(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    issue = hub.add_issue(REPO, "Something")
    head = hub.add_commit(REPO, "issue-1", {"a": "b\n"}, actor=BOT)
    number = hub.add_pull(REPO, "issue-1", "Fix it", "Fixes #1", author=BOT)
    url = f"http://github.localhost/{REPO}/pull/{number}"
    road.ended_task(REPO, issue, url, head, max_usd=0.75)
    hub.check(REPO, "issue-1", "test", "failure")
    road.follow()
    first = yard.repair().spec
    yard.lies(yard.repair())
    road.follow()
    road.follow()

    assert (first.max_usd, first.repair and first.repair.spent_usd) == (0.75, 0.5)
    waits = road.record(number).waits
    assert waits == "red: CI / test; its budget is used up (dollars)"


def test_five_pull_requests_on_one_file_cost_at_most_five_repairs(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    """Merged one after the other: each merge makes the next one's conflict."""
    numbers = []
    for at in range(5):
        numbers.append(road.pull(files={"shared.txt": f"of {at}\n"}))
        hub.check(REPO, road.branch(numbers[-1]), "test", "success")
    road.follow()
    repairs = 0
    for at, number in enumerate(numbers):
        for _ in range(4):
            road.follow()
            for task in yard.repairs():
                assert (task.spec.repair and task.spec.repair.number) == number
                merged = yard.merges_base(task, {"shared.txt": f"of all to {at}\n"})
                hub.check(REPO, merged, "test", "success")
                repairs += 1
        assert road.state(number) == "ready"
        waiting = {road.record(later).waits for later in numbers[at + 1 :]}
        assert at == 0 or all("is merged first" in words for words in waiting)
        hub.merge_pull(REPO, number)

    assert repairs == 4
    assert all(len(road.record(number).rounds) <= 1 for number in numbers)


def test_one_that_waits_for_an_older_one_is_looked_at_as_soon_as_that_is_merged(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    first, second = (road.pull(files={"shared.txt": f"of {at}\n"}) for at in range(2))
    for number in (first, second):
        hub.check(REPO, road.branch(number), "test", "success")
    hub.add_commit(REPO, "main", {"shared.txt": "theirs\n"})
    road.follow()
    yard.merges_base(yard.repair(), {"shared.txt": "both\n"})
    hub.check(REPO, road.branch(first), "test", "success")
    road.follow()
    road.follow(
        timedelta(days=1)
    )  # by now the second one is looked at once in a quarter of an hour
    hub.merge_pull(REPO, first)
    road.store.pulls.wait({road.record(first).key: road.hands.now()})
    road.follow()
    road.follow()

    assert road.state(first) == "merged"
    assert road.state(second) == "repairing"


def test_conflict_comes_before_red_checks_and_these_before_the_review(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull(files={"README.md": "ours\n"})
    hub.add_commit(REPO, "main", {"README.md": "theirs\n"})
    hub.check(REPO, road.branch(number), "test", "failure")
    hub.review(REPO, number, PERSON, "CHANGES_REQUESTED")
    causes = []
    for _ in range(8):
        road.follow()
        for task in yard.repairs():
            assert task.spec.repair
            causes.append(task.spec.repair.cause)
            if causes[-1] == "conflict":
                head = yard.merges_base(task, {"README.md": "both\n"})
                hub.check(REPO, head, "test", "failure")
            else:
                hub.check(REPO, yard.pushes(task), "test", "success")

    assert causes == ["conflict", "checks", "review"]
    record = road.record(number)
    assert (record.state, record.cause) == ("needs you", "answered")
    assert record.waits == "owner asked for changes, and has to look again"


def test_repair_that_touched_tests_more_than_code_is_for_a_person_although_all_is_green(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = red(road, hub)
    said = "it changed 40 lines of tests and CI, and 3 of code"
    yard.lies(yard.repair(), "tests_changed", said)
    hub.check(REPO, road.branch(number), "test", "success")
    for _ in range(3):
        road.follow()
    halted = road.record(number)
    give_back(road.store, f"#{number}")
    road.follow()
    road.follow()

    assert (halted.state, halted.cause, halted.waits) == (
        "needs you",
        "look",
        f"its repair: {said}",
    )
    assert yard.repairs() == []
    assert road.state(number) == "ready"


def test_worker_that_takes_nothing_leaves_its_repair_to_the_pool(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    road.store.fleet.pause("01", "by hand", by="ann")
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow()

    assert yard.repair().spec.wanted_worker is None
