"""Pull requests are followed until they are merged: against the stand-in over HTTP, with a real
store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from cw.errors import UnreadableError
from cw.fleet_models import Host
from cw.operations.pulls.giving_back import give_back
from cw.operations.pulls.telling import notice_of
from cw.operations.reconciliation.unreadable_records import set_aside
from cw.pulls.states import PullMove
from cw.store import keys
from cw.store.mending import mend
from cw.store.notices import Told
from cw.store.store import Store
from tests.integration.assigning import BOT, HOST
from tests.integration.following import Hands, Road
from tests.making import make_spec
from tests.needs import need
from tests.standins.github import GitHubStandIn

REPO = "acme/app"
NONE = timedelta()
QUARTER = timedelta(minutes=15)
PERSON = "owner"  # who may write; `helper` and `outsider` may not


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def hub(tmp_path: Path, hands: Hands) -> Iterator[GitHubStandIn]:
    """By the same clock as the passes."""
    need("git")
    with GitHubStandIn(tmp_path / "hub", clock=hands.now) as hub:
        hub.add_repo(REPO)
        for login, level in {PERSON: "admin", "helper": "triage", "outsider": "none"}.items():
            hub.add_user(login, f"{login}-token", {} if level == "none" else {REPO: level})
        yield hub


@pytest.fixture
def road(hub: GitHubStandIn, store: Store, hands: Hands) -> Road:
    """Where nothing is mended, what could be is a person's."""
    return Road.open(hub, store, hands, [REPO], pulls_repairs=0)


def test_pull_request_of_a_finished_task_goes_from_checks_to_ready_to_merged(
    road: Road, hub: GitHubStandIn
) -> None:
    number = road.pull()
    issue = road.record_task(number).spec.issue or 0
    hub.check(REPO, f"issue-{issue}", "test")
    states = []
    road.follow(NONE)
    states.append(road.state(number))
    road.follow()
    states.append(road.state(number))
    hub.check(REPO, f"issue-{issue}", "test", "success")
    road.follow()
    road.follow()
    states.append(road.state(number))
    hub.merge_pull(REPO, number)
    done = road.follow()

    assert states == ["checking", "checking", "ready"]
    assert done.merged
    assert road.state(number) == "merged"
    assert road.record(number).shown.checks == "1 green"
    assert hub.issue(REPO, issue).state == "closed"
    assert road.store.pulls.open() == []
    assert [one.effect.kind for one in road.store.outbox.pending(HOST)] == ["unlabel"]
    assert road.notices() == []


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        ("failure", "needs you"),
        ("timed_out", "needs you"),
        ("startup_failure", "needs you"),
        ("action_required", "needs you"),
        ("cancelled", "ready"),
        ("neutral", "ready"),
        ("skipped", "ready"),
        ("stale", "ready"),
        ("success", "ready"),
    ],
)
def test_how_a_check_ended(road: Road, hub: GitHubStandIn, conclusion: str, state: str) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", conclusion)

    road.follow()

    assert road.state(number) == state


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("failure", "needs you"),
        ("error", "needs you"),
        ("pending", "checking"),
        ("expected", "checking"),
        ("success", "ready"),
    ],
)
def test_commit_status_counts_like_a_check(
    road: Road, hub: GitHubStandIn, said: str, state: str
) -> None:
    number = road.pull()
    hub.set_status(REPO, road.branch(number), "ci/other", said)

    road.follow()

    assert road.state(number) == state


def test_a_person_is_told_once_of_each_cause_and_head(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow()
    road.follow()
    first = road.notices()
    hub.check(REPO, road.branch(number), "test", "success")
    road.follow(QUARTER)
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow(QUARTER)

    assert first == [f"checks: pull request {number}: red: CI / test"]
    assert road.notices() == first


def test_red_on_the_base_as_well_is_not_ours(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()
    for ref in ("main", road.branch(number)):
        hub.check(REPO, ref, "test", "failure")

    road.follow()

    assert road.record(number).waits == "red on main as well, so not ours: CI / test"
    assert [told.partition(":")[0] for told in road.notices()] == ["base"]


def test_conflict_is_seen_although_nothing_of_the_pull_request_moved(
    road: Road, hub: GitHubStandIn
) -> None:
    number = road.pull(files={"README.md": "ours\n"})
    road.follow(timedelta(minutes=6))
    before = road.state(number)
    hub.add_commit(REPO, "main", {"README.md": "theirs\n"})

    road.follow(QUARTER)

    assert (before, road.state(number)) == ("ready", "needs you")
    assert road.record(number).waits == "it conflicts with main"
    assert road.record(number).shown.conflicts == "yes"


def test_mergeable_null_is_asked_again(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    hub.forget_mergeable(REPO, number, answers=2)  # a glance and a look
    road.follow()
    before = road.record(number).waits

    road.follow()

    assert before == "GitHub works out whether it can be merged"
    assert road.state(number) == "ready"


def test_reviews_count_of_those_who_may_write(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    hub.review(REPO, number, "helper", "CHANGES_REQUESTED")
    hub.start_thread(REPO, number, "Wrong", author="outsider")
    hub.start_thread(REPO, number, "Wrong", author="helper", association="COLLABORATOR")
    hub.start_thread(REPO, number, "nit: a space", author=PERSON)
    resolved = hub.start_thread(REPO, number, "Wrong", author=PERSON)
    hub.end_thread(REPO, number, resolved)
    outdated = hub.start_thread(REPO, number, "Wrong", author=PERSON)
    hub.end_thread(REPO, number, outdated, resolved=False, outdated=True)
    road.follow()
    strangers = road.state(number)
    hub.start_thread(REPO, number, "This is wrong", author=PERSON)
    hub.review(REPO, number, PERSON, "CHANGES_REQUESTED")

    road.follow()
    road.follow()

    assert strangers == "ready"
    assert road.record(number).waits == "owner asks for changes, 1 open thread of the review"


def test_required_review_is_waited_for(road: Road, hub: GitHubStandIn) -> None:
    hub.require(REPO, review=True)
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    road.follow()
    before = road.record(number).waits
    hub.review(REPO, number, PERSON, "APPROVED")
    road.follow()
    road.follow()

    assert before == "a review"
    assert road.record(number).waits == "approved: merge it"
    assert road.record(number).shown.review == "approved"


def quiet(road: Road, hub: GitHubStandIn) -> int:
    """One that is ready."""
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    road.follow()
    assert road.state(number) == "ready"
    return number


def test_person_says_stop_and_gives_it_back(road: Road, hub: GitHubStandIn) -> None:
    number = quiet(road, hub)
    hub.add_comment(REPO, number, "I'll take it from here.", author="outsider")
    hub.add_comment(REPO, number, "stop", author="helper", association="MEMBER")
    road.follow(QUARTER)
    strangers = road.state(number)
    hub.add_comment(REPO, number, "I'll take it from here.", author=PERSON)
    road.follow(QUARTER)
    taken = road.record(number)

    give_back(road.store, f"#{number}")
    road.follow(QUARTER)
    again = road.state(number)
    hub.add_comment(REPO, number, "stop", author=PERSON)
    road.follow(QUARTER)

    assert strangers in {"checking", "ready"}
    assert (taken.state, taken.waits) == ("hands off", "owner said so")
    assert again in {"checking", "ready"}
    assert road.state(number) == "hands off"


def test_label_of_another_agent_means_hands_off_as_long_as_it_is_there(
    road: Road, hub: GitHubStandIn
) -> None:
    number = quiet(road, hub)
    hub.label_issue(REPO, number, "claude-pr-steward-watching")
    road.follow(QUARTER)
    taken = road.record(number)
    hub.unlabel_issue(REPO, number, "claude-pr-steward-watching")
    road.follow(QUARTER)
    road.follow()

    assert taken.state == "hands off"
    assert road.state(number) == "ready"


def test_assignment_to_a_person_means_hands_off(road: Road, hub: GitHubStandIn) -> None:
    number = quiet(road, hub)
    hub.assign(REPO, number, BOT)
    road.follow(QUARTER)
    of_its_author = road.state(number)
    hub.assign(REPO, number, BOT, PERSON)
    road.follow(QUARTER)

    assert of_its_author in {"checking", "ready"}
    assert road.record(number).waits == "it is assigned to owner"


def test_push_of_a_person_means_hands_off_and_of_a_bot_does_not(
    road: Road, hub: GitHubStandIn
) -> None:
    number = quiet(road, hub)
    hub.add_user("fixer[bot]", "fixer-token", {REPO: "write"})
    hub.add_commit(REPO, road.branch(number), {"fmt.txt": "x\n"}, actor="fixer[bot]")
    road.follow(QUARTER)
    of_a_bot = road.state(number)
    head = hub.add_commit(REPO, road.branch(number), {"mine.txt": "x\n"}, actor=PERSON)
    road.follow(QUARTER)
    road.follow(QUARTER)

    assert of_a_bot == "checking"
    assert road.record(number).waits == f"owner pushed {head[:12]}"
    assert road.state(number) == "hands off"


def test_task_of_ours_that_works_on_it_may_push(road: Road, hub: GitHubStandIn) -> None:
    number = quiet(road, hub)
    old = road.record_task(number)
    spec = make_spec(repo=REPO, repo_id=old.spec.repo_id, issue=old.spec.issue)
    road.store.tasks.create(spec, "")
    head = hub.add_commit(REPO, road.branch(number), {"more.txt": "x\n"}, actor=BOT)
    road.follow(QUARTER)
    meanwhile = road.record(number)
    road.end(spec.id, old.outcome.pr if old.outcome else "", head)
    hub.check(REPO, head, "test", "success")
    road.follow(QUARTER)

    assert meanwhile.waits == f"task {spec.id} works on it"
    assert road.record(number).task == spec.id
    assert road.state(number) == "ready"


def test_closed_without_a_merge_is_remembered_and_reconcile_gives_the_issue_back(
    road: Road, hub: GitHubStandIn
) -> None:
    number = quiet(road, hub)
    issue = road.record(number).issue or 0
    hub.close_issue(REPO, number)
    road.follow(QUARTER)
    road.office.staff("01")
    road.office.reconcile()

    assert road.state(number) == "closed"
    assert road.office.marks(REPO, issue) == ["blocked"]


def test_dependents_are_assigned_when_the_pass_has_seen_the_merge(
    road: Road, hub: GitHubStandIn
) -> None:
    number = quiet(road, hub)
    issue = road.record(number).issue
    waits = hub.add_issue(REPO, "Next", f"Blocked by #{issue}")
    road.office.staff("02")
    before = road.office.verdicts()
    hub.merge_pull(REPO, number)

    assert road.follow(QUARTER).merged
    assert before[f"{REPO}#{waits}"] == "depends"
    assert [row.issue for row in road.office.assign().dispatched] == [waits]


def test_what_does_not_move_is_asked_about_ever_more_seldom_and_never_wholly(
    road: Road, hub: GitHubStandIn
) -> None:
    quiet(road, hub)
    road.follow(timedelta(hours=2))
    asked = []
    for _ in range(10):
        hub.requests.clear()
        done = road.follow()
        asked.append((len(hub.requests), done.wholly))

    assert sum(count for count, _ in asked) <= 2
    assert {wholly for _, wholly in asked} == {0}


def test_repository_that_refuses_keeps_no_other_from_being_looked_at(
    hub: GitHubStandIn, store: Store, hands: Hands
) -> None:
    hub.add_repo("acme/lib", private=True)
    road = Road.open(hub, store, hands, [REPO, "acme/lib"])
    first, second = road.pull(), road.pull("acme/lib")
    hub.set_permission("acme/lib", BOT, "none")

    road.follow(timedelta(minutes=6))

    assert road.state(first) == "ready"
    assert road.state(second, "acme/lib") == "watching"
    assert "GitHub does not show it" in road.record(second, "acme/lib").waits


def test_renamed_repository_is_followed_by_its_id(road: Road, hub: GitHubStandIn) -> None:
    number = quiet(road, hub)
    hub.rename_repo(REPO, "acme/moved")
    road.follow(timedelta(hours=1))
    record = road.record(number, "acme/moved")
    hub.add_repo(REPO)  # another one takes the old name
    hub.merge_pull("acme/moved", number)
    road.follow(QUARTER)

    assert record.repo == "acme/moved"
    assert road.state(number, "acme/moved") == "merged"


def test_repository_that_is_gone_and_whose_name_is_anothers_stops_no_pass(
    road: Road, hub: GitHubStandIn
) -> None:
    number = quiet(road, hub)
    hub.rename_repo(REPO, "acme/moved")
    hub.add_repo(REPO)
    hub.add_issue(REPO, "Of the other one")
    hub.add_commit(REPO, "theirs", {"theirs.txt": "x\n"})
    same_number = hub.add_pull(REPO, "theirs", "Of the other one")
    hub.fault(path_regex="^/repositories/", status=404, body={"message": "Not Found"}, times=None)

    done = road.follow(timedelta(hours=1))

    assert same_number == number
    assert done.stopped == ""
    assert "GitHub does not show it" in road.record(number, "acme/moved").waits


def test_github_that_is_away_loses_nothing(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "failure")
    hub.fault(path_regex="/graphql", status=502, times=None)
    away = road.follow()
    hub.clear_faults()
    road.follow()

    assert away.stopped
    assert road.state(number) == "needs you"
    assert len(road.notices()) == 1


def test_what_stood_so_before_anybody_looked_is_no_news(road: Road, hub: GitHubStandIn) -> None:
    """As after an upgrade: tasks that ended before are found, and nobody is woken for them."""
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "failure")
    road.store.connection.client.delete(keys.PULLS_NEW)  # an older cw knew of none

    road.follow(timedelta(hours=2))
    road.follow(QUARTER)

    assert road.state(number) == "needs you"
    assert road.notices() == []


def test_pass_typed_where_no_host_runs_leaves_the_rest_to_one_that_does(
    road: Road, hub: GitHubStandIn
) -> None:
    number = quiet(road, hub)
    road.store.fleet.beat(Host(name="elsewhere"), road.hands.now() + QUARTER)
    hub.merge_pull(REPO, number)

    road.follow(QUARTER)

    assert [one.effect.kind for one in road.store.outbox.pending("elsewhere")] == ["unlabel"]


def test_pass_that_is_killed_anywhere_doubles_no_notice(
    road: Road, hub: GitHubStandIn, store: Store
) -> None:
    """Each pass sees what the one before saw: as a process that died before it recorded it."""
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow(NONE)
    stale = road.record(number)
    road.follow()
    told = Told((), HOST, notice_of(road.record(number), "again", store.tasks.now()))

    assert not store.pulls.move(stale, PullMove.NEED, store.tasks.now(), told)
    assert len(road.notices()) == 1


def test_broker_that_forgot_learns_of_it_from_the_tasks_and_github(
    road: Road, hub: GitHubStandIn
) -> None:
    number = quiet(road, hub)
    hub.add_comment(REPO, number, "stop", author=PERSON)
    road.follow(QUARTER)
    task = road.record_task(number)
    road.store.connection.client.flushall()
    assert road.store.tasks.rebuild(task)

    road.follow(NONE)

    assert road.state(number) == "hands off"
    assert road.notices() == []


@pytest.mark.parametrize("field", ["record", "revision", "state", "task"])
@pytest.mark.parametrize("value", [b"", b"\xff\xfe", b'{"a": [}', b"7", b"x" * 100_000])
def test_damaged_record_costs_only_itself(
    road: Road, hub: GitHubStandIn, field: str, value: bytes
) -> None:
    sick, well = road.pull(), road.pull()
    road.follow(NONE)
    name = keys.issue(*road.record(sick).key)
    road.store.connection.client.hset(keys.pull(name), field, value)

    road.follow(timedelta(minutes=6))

    assert road.state(well) == "ready"


def test_damaged_record_that_was_set_aside_begins_again(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()
    road.follow(NONE)
    name = keys.issue(*road.record(number).key)
    client = road.store.connection.client
    client.hset(keys.pull(name), "record", "{")
    aside = set_aside(road.store)
    client.delete(keys.github_fact("pulls:begun"))  # as after a day

    road.follow(timedelta(minutes=6))

    assert aside == (f"the record of pull request {name}",)
    assert road.state(number) == "ready"


@pytest.mark.parametrize("key", [keys.PULLS, keys.PULLS_ENDED, keys.PULLS_NEW])
def test_list_of_another_type_is_made_anew(road: Road, hub: GitHubStandIn, key: str) -> None:
    number = road.pull()
    road.follow(NONE)
    client = road.store.connection.client
    client.delete(key)
    client.set(key, "x")
    with suppress(UnreadableError):  # which a host tells, until its sweep has mended it
        road.follow(QUARTER)
    mend(road.store)
    client.delete(keys.github_fact("pulls:begun"))  # as after a day

    road.follow(timedelta(minutes=6))

    assert road.state(number) == "ready"
    assert client.type(key) in {"none", "zset", "set"}


def test_ended_ones_are_forgotten_with_their_tasks(road: Road, hub: GitHubStandIn) -> None:
    first, second = quiet(road, hub), quiet(road, hub)
    for number in (first, second):
        hub.merge_pull(REPO, number)
    road.follow(QUARTER)
    store = road.store

    store.pulls.trim(1)
    known = len(store.pulls.ended())
    store.tasks.trim(1)
    store.pulls.trim(1)

    assert known == 2
    assert len(store.pulls.ended()) == 1
    assert store.tasks.open_tasks() == []
