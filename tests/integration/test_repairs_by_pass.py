"""What a pass over pull requests has mended, what not, and when no more: against the stand-in over
HTTP, with a real store. The runs of the repairs are records here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.models import Outcome
from cw.operations.pulls.giving_back import give_back
from cw.pulls.record import Cause
from cw.states import Move, OutcomeKind, State
from cw.store.signing import is_genuine
from cw.store.store import Store
from tests.integration.assigning import BOT
from tests.integration.following import Hands, Road
from tests.integration.repairing import Yard
from tests.needs import need
from tests.standins.github import GitHubStandIn

REPO = "acme/app"
QUARTER = timedelta(minutes=15)
PERSON = "owner"


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def hub(tmp_path: Path, hands: Hands) -> Iterator[GitHubStandIn]:
    need("git")
    with GitHubStandIn(tmp_path / "hub", clock=hands.now) as hub:
        hub.add_repo(REPO)
        for login, level in {PERSON: "admin", "outsider": "none"}.items():
            hub.add_user(login, f"{login}-token", {} if level == "none" else {REPO: level})
        yield hub


@pytest.fixture
def road(hub: GitHubStandIn, store: Store, hands: Hands) -> Road:
    road = Road.open(hub, store, hands, [REPO])
    road.office.staff("01")
    return road


@pytest.fixture
def yard(road: Road) -> Yard:
    return Yard(road)


def red(road: Road, hub: GitHubStandIn, **files: str) -> int:
    """A pull request whose check failed, looked at."""
    number = road.pull(files=files or None)
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow()
    return number


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


@pytest.mark.parametrize("end", ["merge", "close", "stop", "push", "assign", "label"])
@pytest.mark.parametrize("running", [True, False])
def test_what_a_person_does_ends_a_repair_in_the_same_pass(
    road: Road, hub: GitHubStandIn, yard: Yard, end: str, running: bool
) -> None:
    number = red(road, hub)
    task = yard.repair()
    if running:
        yard.take(task)
    does: dict[str, Callable[[], object]] = {
        "merge": lambda: hub.merge_pull(REPO, number),
        "close": lambda: hub.close_issue(REPO, number),
        "stop": lambda: hub.add_comment(REPO, number, "Stop.", author=PERSON),
        "push": lambda: hub.add_commit(REPO, road.branch(number), {"b": "c\n"}, actor=PERSON),
        "assign": lambda: hub.assign(REPO, number, PERSON),
        "label": lambda: hub.label_issue(REPO, number, "claude-ship-it"),
    }
    does[end]()
    road.follow()

    found = road.store.tasks.get(task.spec.id)
    assert found
    if running:
        assert (found.state, bool(found.stop_wanted)) == (State.RUNNING, True)
    else:
        assert found.outcome
        assert (found.state, found.outcome.reason) == (State.DONE, "repair_over")
        assert road.store.tasks.claimed_by(*task.spec.key) is None
    ended = {"merge": "merged", "close": "closed"}
    assert road.state(number) == ended.get(end, "hands off")


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


def test_thread_is_seen_to_once_until_somebody_says_more(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    thread = hub.start_thread(REPO, number, "This is wrong", author=PERSON)
    hub.start_thread(REPO, number, "nit: a space", author=PERSON)
    hub.start_thread(REPO, number, "All wrong", author="outsider")
    road.follow()
    wanted = yard.repair().spec.repair
    head = yard.pushes(yard.repair())
    hub.check(REPO, head, "test", "success")
    road.follow()
    road.follow()
    answered = road.record(number)
    hub.answer_thread(REPO, number, thread, "Still wrong", author=PERSON)
    road.follow()
    road.follow()

    assert wanted
    assert (wanted.cause, len(wanted.threads)) == ("review", 1)
    assert (answered.state, answered.cause) == ("needs you", "answered")
    assert road.state(number) == "repairing"
    assert road.record(number).tries(Cause.REVIEW) == 2


def test_reviewers_are_answered_once_and_what_is_fixed_is_resolved(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    for text in ("This is wrong", "Why so?"):
        hub.start_thread(REPO, number, text, author=PERSON)
    hub.review(REPO, number, PERSON, "CHANGES_REQUESTED", "See below")
    road.follow()
    report = "Done.\n\n[1] fixed: renamed it, @owner\n[2] answered: it is faster; closes #1"
    head = yard.pushes(yard.repair(), report=report)
    for _ in range(3):
        road.follow()

    kinds = [(kind, text) for kind, _, text in yard.effects()]
    assert kinds == [
        ("reply", f"Fixed (`{head[:12]}`): renamed it, `@owner`"),
        ("resolve", ""),
        ("reply", "Not changed: it is faster; closes `#1`"),
        ("comment", kinds[3][1]),
    ]
    assert kinds[3][1].startswith(f"What was asked for is seen to in `{head[:12]}`:")


@pytest.mark.parametrize(
    "what", ["cancelled", "neutral", "base", "bot", "stranger", "resolved", "asks", "draft nit"]
)
def test_what_starts_nothing(road: Road, hub: GitHubStandIn, yard: Yard, what: str) -> None:
    number = road.pull()
    branch = road.branch(number)
    hub.check(REPO, branch, "test", "success")
    hub.add_user("reviewer[bot]", "reviewer-token", {REPO: "write"})
    if what in {"cancelled", "neutral"}:
        hub.check(REPO, branch, "test", what)
    elif what == "base":
        hub.check(REPO, branch, "test", "failure")
        hub.check(REPO, "main", "test", "failure")
    elif what == "asks":
        hub.check(REPO, branch, "test", "action_required")
    elif what == "resolved":
        hub.end_thread(REPO, number, hub.start_thread(REPO, number, "Wrong", author=PERSON))
    else:
        author = {"bot": "reviewer[bot]", "stranger": "outsider"}.get(what, PERSON)
        said = "optional: rename it" if what == "draft nit" else "This is wrong"
        hub.start_thread(REPO, number, said, author=author)
    for _ in range(3):
        road.follow()

    assert yard.repairs() == []
    assert road.record(number).rounds == {}


@pytest.mark.parametrize(
    ("report", "told", "rounds"),
    [
        ("[1] fixed: it", ["reply", "resolve"], 2),  # the other thread still waits
        ("All done.", ["reply", "reply"], 1),
    ],
)
def test_thread_that_is_not_answered_is_not_done_with(
    road: Road, hub: GitHubStandIn, yard: Yard, report: str, told: list[str], rounds: int
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    for text in ("This is wrong", "And this"):
        hub.start_thread(REPO, number, text, author=PERSON)
    road.follow()
    head = yard.pushes(yard.repair(), report=report)
    hub.check(REPO, head, "test", "success")
    for _ in range(3):
        road.follow()

    assert [kind for kind, _, _ in yard.effects()] == told
    assert road.record(number).tries(Cause.REVIEW) == rounds


def test_repair_that_found_nothing_to_see_to_is_not_ordered_again(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    hub.review(REPO, number, PERSON, "CHANGES_REQUESTED")
    road.follow()
    yard.lies(yard.repair(), "nothing_left", "its reviewers ask for nothing any more")
    for _ in range(3):
        road.follow()

    assert yard.repairs() == []
    assert road.record(number).waits == "owner asked for changes, and has to look again"


def test_bot_that_is_named_is_heard(road: Road, hub: GitHubStandIn, yard: Yard) -> None:
    number = road.pull()
    hub.check(REPO, road.branch(number), "test", "success")
    hub.add_user("reviewer[bot]", "reviewer-token", {REPO: "write"})
    hub.start_thread(REPO, number, "This is wrong", author="reviewer[bot]")
    road.follow(pulls_bots=("Reviewer[bot]",))

    assert yard.repair().spec.repair


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


def test_worker_that_takes_nothing_leaves_its_repair_to_the_pool(
    road: Road, hub: GitHubStandIn, yard: Yard
) -> None:
    number = road.pull()
    road.store.fleet.pause("01", "by hand", by="ann")
    hub.check(REPO, road.branch(number), "test", "failure")
    road.follow()

    assert yard.repair().spec.wanted_worker is None
