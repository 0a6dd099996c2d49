"""What a pass makes of a pull request that is a draft until another worker has read it: against the
stand-in over HTTP, with a real store. The runs of readings and repairs are records here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cw.forges.issue_text import text_sha256
from cw.models import Outcome, Task
from cw.operations.pulls.giving_back import give_back
from cw.operations.views.unseen import with_recent
from cw.pulls.record import Cause
from cw.states import Mode, Move, OutcomeKind, State
from cw.store.lease_values import Grant, Holder, Settlement
from cw.store.signing import is_genuine
from cw.store.store import Store
from tests.integration.assigning import BOT, HOST
from tests.integration.following import Hands, Road
from tests.integration.repairing import PERSON, REPO, Yard, assert_ended, does, hands, hub, yard
from tests.standins.github import GitHubStandIn

__all__ = ["hands", "hub", "yard"]  # fixtures

FOUND = "Change first: it forgets the empty list.\napp.py:3: no test would notice."


@pytest.fixture
def road(hub: GitHubStandIn, store: Store, hands: Hands) -> Road:
    road = Road.open(hub, store, hands, [REPO], pulls_review="worker")
    road.office.staff("01", "02", "03")
    return road


def drafted(road: Road, hub: GitHubStandIn, **changed: Any) -> int:
    """A green draft that is to be read, looked at."""
    digest = text_sha256("Something", "")
    told: dict[str, Any] = {"title": "Something", "approved_sha256": digest, **changed}
    number = road.pull(drafted=True, **told)
    hub.check(REPO, road.branch(number), "test", "success")
    road.follow()
    return number


def readings(road: Road) -> list[Task]:
    """That are not over."""
    return [task for task in road.store.tasks.open_tasks() if task.spec.reading]


def reading(road: Road) -> Task:
    (only,) = readings(road)
    return only


def says(
    yard: Yard,
    report: str,
    kind: OutcomeKind = OutcomeKind.SUCCEEDED,
    reason: str = "done",
) -> Task:
    """The reading ends with that."""
    task = reading(yard.road)
    worker = task.spec.wanted_worker or "01"
    grant = yard.road.store.tasks.acquire(
        task.spec.id, worker=worker, host=HOST, ttl=600, session="r"
    )
    assert isinstance(grant, Grant)
    outcome = Outcome(kind=kind, reason=reason, message=f"it {reason}", report=report, cost_usd=0.1)
    holder = Holder(task.spec.id, worker, grant.fence)
    assert yard.road.store.tasks.settle(holder, Settlement(Move.FINISH, outcome))
    return task


def is_draft(road: Road, number: int) -> bool:
    pull = road.hub.state.issue(road.hub.state.repo(REPO), number).pull
    assert pull
    return pull.draft


def marked(yard: Yard) -> list[int]:
    """What is to become ready for review."""
    return [issue for kind, issue, _ in yard.effects() if kind == "ready"]


def mark_ready(road: Road, number: int) -> None:
    """As a host carries it out."""
    road.office.ways().github.mark_ready(REPO, number)


def test_draft_is_read_by_a_worker_that_did_not_make_it_before_it_is_ready(
    road: Road, hub: GitHubStandIn, yard: Yard, store: Store
) -> None:
    number = drafted(road, hub)

    task, record = reading(road), road.record(number)
    prompt = store.tasks.prompt(task.spec.id)
    assert (task.state, task.spec.wanted_worker) == (State.QUEUED, "02")
    assert (task.spec.mode, task.spec.issue, task.spec.repair) == (Mode.READ, None, None)
    assert task.spec.headline == f"review of {REPO}#{number} · Something"
    assert is_genuine(store.connection.keyring, task.spec, prompt)
    assert f"git diff origin/main...{record.head}\n" in prompt
    assert "issue #1: Something -----" in prompt
    assert store.tasks.claimed_by(f"@{task.spec.repo_id}", 1) is None
    assert [spec.id for spec in road.office.hinted] == [task.spec.id]
    assert (record.state, record.waits) == ("reviewing", "a reading of it waits for worker 02")
    assert (record.rounds, marked(yard), road.notices()) == ({}, [], [])


def test_nothing_found_makes_it_ready_once_and_its_cost_counts(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = drafted(road, hub)
    says(yard, "**Merge**: it does what the issue says.")
    road.follow()
    first = road.record(number)
    road.follow()
    once = marked(yard)
    mark_ready(road, number)
    for _ in range(3):
        road.follow()

    record = road.record(number)
    assert (first.state, first.waits) == ("ready", "it is marked ready for review")
    assert (once, marked(yard), is_draft(road, number)) == ([number], [number], False)
    assert (record.state, record.waits, readings(road)) == ("ready", "a look, and the merge", [])
    assert record.cost_usd == pytest.approx(0.6)


def test_findings_go_back_to_the_author_once_and_nobody_reads_it_again(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = drafted(road, hub)
    says(yard, FOUND)
    road.follow()
    repair = yard.repair().spec
    between = marked(yard)
    head = yard.pushes(yard.repair())
    hub.check(REPO, head, "test", "success")
    for _ in range(3):
        road.follow()

    assert repair.repair
    assert (repair.repair.cause, repair.repair.findings) == ("review", FOUND)
    assert (repair.repair.session, repair.wanted_worker) == ("s", "01")
    assert repair.repair.spent_usd == pytest.approx(0.6)
    assert (between, marked(yard)) == ([], [number])
    assert (readings(road), yard.repairs()) == ([], [])
    assert road.record(number).cost_usd == pytest.approx(0.85)
    assert [kind for kind, _, _ in yard.effects()] == ["ready"]  # nothing of it is posted


def test_author_that_sees_to_nothing_does_not_keep_it_a_draft(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = drafted(road, hub)
    says(yard, FOUND)
    road.follow()
    yard.lies(yard.repair())
    for _ in range(3):
        road.follow()

    assert (marked(yard), yard.repairs(), road.state(number)) == ([number], [], "ready")


@pytest.mark.parametrize("kind", [OutcomeKind.FAILED, OutcomeKind.SUCCEEDED])
def test_reader_that_came_to_nothing_is_asked_once_more_of_another_then_ready_without(
    road: Road, hub: GitHubStandIn, yard: Yard, kind: OutcomeKind
) -> None:
    """Also one that succeeded, and said nothing."""
    number = drafted(road, hub)
    first = says(yard, "", kind, "killed")
    road.follow()
    second = says(yard, "", kind, "killed")
    road.follow()
    mark_ready(road, number)
    road.follow()
    road.follow()

    record = road.record(number)
    assert (first.spec.wanted_worker, second.spec.wanted_worker) == ("02", "03")
    assert (marked(yard), readings(road), record.state) == ([number], [], "ready")
    said = "a look, and the merge; not read by another worker: it killed"
    assert (record.waits, road.notices()) == (said, [])
    assert record.cost_usd == pytest.approx(0.7)


def test_reading_that_was_lost_too_often_is_one_that_failed(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    drafted(road, hub)
    first = reading(road)
    grant = road.store.tasks.acquire(first.spec.id, worker="02", host=HOST, ttl=600, session="r")
    assert isinstance(grant, Grant)
    lost = Outcome(kind=OutcomeKind.FAILED, reason="lost", message="it was lost")
    holder = Holder(first.spec.id, "02", grant.fence)
    assert road.store.tasks.settle(holder, Settlement(Move.LOSE, lost))
    road.follow()
    road.follow()

    found = road.store.tasks.get(first.spec.id)
    assert found
    assert found.state is State.DONE
    assert reading(road).spec.id != first.spec.id
    assert road.notices() == []
    assert with_recent(road.store, road.store.tasks.now()).unseen == ()


def test_what_nobody_reads_within_a_day_is_ready_without(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = drafted(road, hub)
    road.follow(timedelta(hours=23))
    waits = road.record(number).waits
    road.follow(timedelta(hours=1))

    assert waits == "a reading of it waits for worker 02"
    assert (marked(yard), readings(road)) == ([number], [])
    said = "not read by another worker: no worker did within a day"
    assert road.record(number).waits.endswith(said)


def test_what_must_be_mended_is_mended_before_it_is_read(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull(drafted=True)
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow()
    before = readings(road)
    hub.check(REPO, yard.pushes(yard.repair()), "test", "success")
    road.follow()
    road.follow()

    assert before == []
    assert reading(road).spec.reading
    assert road.state(number) == "reviewing"


@pytest.mark.parametrize("what", ["off", "marked by hand", "no draft"])
def test_what_is_not_read(road: Road, hub: GitHubStandIn, yard: Yard, what: str) -> None:
    number = road.pull(drafted=what != "no draft")
    hub.check(REPO, road.branch(number), "test", "success")
    if what == "marked by hand":
        mark_ready(road, number)
    review = "off" if what == "off" else "worker"
    for _ in range(3):
        road.follow(pulls_review=review)

    assert (readings(road), road.state(number)) == ([], "ready")
    assert marked(yard) == ([number] if what == "off" else [])


def test_draft_for_another_reason_stays_one(road: Road, hub: GitHubStandIn, yard: Yard) -> None:
    """A protected path, or a person's: its task's end does not say that it is for a reading."""
    issue = hub.add_issue(REPO, "Something")
    head = hub.add_commit(REPO, "issue-1", {"a": "b\n"}, actor=BOT)
    number = hub.add_pull(REPO, "issue-1", "Fix it", "Fixes #1", author=BOT, draft=True)
    road.ended_task(REPO, issue, f"http://github.localhost/{REPO}/pull/{number}", head)
    hub.check(REPO, "issue-1", "test", "success")
    for _ in range(3):
        road.follow()

    assert (readings(road), marked(yard)) == ([], [])
    assert road.record(number).waits == "a draft: look at it and mark it ready for review"


def test_ceiling_of_its_task_holds_over_the_reading(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = drafted(road, hub, max_usd=0.5)

    assert (readings(road), marked(yard)) == ([], [number])
    said = "not read by another worker: its budget is used up (dollars)"
    assert road.record(number).waits == f"it is marked ready for review; {said}"


def test_findings_that_nobody_may_mend_are_said_and_hold_nothing_up(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = drafted(road, hub)
    says(yard, FOUND)
    road.follow(pulls_repairs=0)

    assert (yard.repairs(), marked(yard)) == ([], [number])
    said = "what another worker found is not seen to: nothing is mended"
    assert road.record(number).waits.endswith(said)


@pytest.mark.parametrize("end", ["merge", "close", "stop", "push"])
@pytest.mark.parametrize("running", [True, False])
def test_what_a_person_does_ends_a_reading_in_the_same_pass(
    road: Road, hub: GitHubStandIn, end: str, running: bool
) -> None:
    number = drafted(road, hub)
    task = reading(road)
    if running:
        road.store.tasks.acquire(task.spec.id, worker="02", host=HOST, ttl=600, session="r")
    if end == "merge":
        mark_ready(road, number)
    does(road, number, end)
    road.follow()

    assert_ended(road, task, number, end, running=running)


def test_one_that_is_given_back_is_read_again_and_that_try_did_not_count(
    road: Road, hub: GitHubStandIn
) -> None:
    number = drafted(road, hub)
    hub.add_comment(REPO, number, "Stop.", author=PERSON)
    road.follow()
    give_back(road.store, f"#{number}")
    road.follow()
    road.follow()

    record = road.record(number)
    assert record.readings
    assert (record.state, len(record.readings.tasks), len(readings(road))) == ("reviewing", 1, 1)


def test_reading_that_a_person_stops_is_theirs(road: Road, hub: GitHubStandIn) -> None:
    number = drafted(road, hub)
    road.store.tasks.want_stop(reading(road), "ann")
    road.follow()
    road.follow()

    record = road.record(number)
    assert (record.state, record.waits) == ("hands off", "its reading was ended: stopped by ann")


def test_order_that_was_cut_off_before_it_was_recorded_is_made_once(
    road: Road, hub: GitHubStandIn
) -> None:
    number = drafted(road, hub)
    first = reading(road)
    road.store.tasks.withdraw(first.spec)
    road.follow()

    record = road.record(number)
    assert record.readings
    assert record.readings.tasks == (reading(road).spec.id,)
    assert reading(road).spec.id != first.spec.id


def test_text_that_nobody_stands_for_does_not_reach_the_reader(
    road: Road, hub: GitHubStandIn, store: Store
) -> None:
    drafted(road, hub, approved_sha256="0" * 64, approved_by="outsider")

    prompt = store.tasks.prompt(reading(road).spec.id)
    assert "issue #1: Something" not in prompt
    assert "Read the changes of pull request" in prompt


def test_without_another_worker_that_takes_work_anyone_reads_it(
    road: Road, hub: GitHubStandIn
) -> None:
    for name in ("02", "03"):
        road.store.fleet.pause(name, "by hand", by="ann")
    drafted(road, hub)

    assert reading(road).spec.wanted_worker is None


@pytest.mark.parametrize("order", [1, -1])
def test_broker_that_forgot_is_told_by_the_archives_that_it_was_read(
    road: Road, hub: GitHubStandIn, yard: Yard, order: int
) -> None:
    """In whichever order they come; the newest knows what was before it."""
    number = drafted(road, hub)
    says(yard, FOUND)
    road.follow()
    yard.lies(yard.repair())
    tasks = road.store.tasks.done_tasks(10)
    road.store.connection.client.flushall()
    road.office.staff("01", "02", "03")
    for task in tasks[::order]:
        assert road.store.tasks.rebuild(task)
        if order == 1:
            road.follow()
    road.follow()
    road.follow()

    record = road.record(number)
    assert (record.tries(Cause.REVIEW), record.issue) == (1, 1)
    assert record.cost_usd == pytest.approx(0.85)
    assert (readings(road), yard.repairs()) == ([], [])
    assert marked(yard) == [number]


def test_reading_under_way_is_known_again_to_a_broker_that_forgot(
    road: Road, hub: GitHubStandIn, yard: Yard, store: Store
) -> None:
    number = drafted(road, hub)
    task, made = reading(road), road.record_task(number)
    prompt = store.tasks.prompt(task.spec.id)
    store.connection.client.flushall()
    assert store.tasks.rebuild(made)
    store.tasks.create(task.spec, prompt)
    road.office.staff("01", "02", "03")
    road.follow()
    known = road.state(number)
    says(yard, "Merge.")
    road.follow()

    assert (known, marked(yard), readings(road)) == ("reviewing", [number], [])
