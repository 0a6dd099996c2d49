"""Twenty repositories, a thousand issues, fifty workers: what it costs, and that nothing is lost or
done twice while everything goes wrong.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cw.models import Task
from cw.operations.assignment.assign import Assigned
from cw.states import OutcomeKind
from cw.store.store import Store
from tests.integration.assigning import BOT, TOKEN, Office, big_hub
from tests.needs import need
from tests.standins.github import GitHubStandIn
from tests.waiting import wait_until

WORKERS = [f"{one:02}" for one in range(1, 51)]
BUDGET = 40


@pytest.fixture
def wide(tmp_path: Path) -> Iterator[GitHubStandIn]:
    """Everything in it is a minute old."""
    need("git")
    with GitHubStandIn(
        tmp_path / "hub", clock=lambda: datetime.now(UTC) - timedelta(minutes=1)
    ) as hub:
        yield hub


def test_first_pass_costs_forty_requests_at_most_and_an_unchanged_one_nothing(
    wide: GitHubStandIn, store: Store
) -> None:
    expected = big_hub(wide, skewed=True)
    office = Office.open(wide, store, {repo for repo, _ in expected})

    first = office.assign(dry_run=True)
    cost = [one for one in wide.requests if one.login == BOT and one.path != "/graphql"]
    rounds = 0
    while any(one.verdict.value == "unknown" for one in office.assign(dry_run=True).rows):
        rounds += 1
        assert rounds < 30
    wide.requests.clear()
    again = office.assign()

    assert len(first.rows) == 1000
    assert len(cost) <= BUDGET
    assert {one.status for one in wide.requests} == {304}
    assert again.asked == again.unchanged == len(wide.requests) <= BUDGET
    assert not wide.requests.matching(path_regex="^/search")


def test_answered_questions_are_not_asked_again(wide: GitHubStandIn, store: Store) -> None:
    wide.add_repo("acme/app")
    wide.add_repo("acme/lib")
    wide.add_user(BOT, TOKEN, {"acme/app": "write", "acme/lib": "write"})
    need = wide.add_issue("acme/lib", "Needed")
    wide.add_issue("acme/app", "Waits", f"Blocked by acme/lib#{need}")
    for _ in range(5):
        number = wide.add_issue("acme/app", "Stranger's", author="stranger")
        wide.label_issue("acme/app", number, "claude", actor="stranger")
    office = Office.open(wide, store, ["acme/app"])
    office.staff("01")

    first, second = office.assign(), office.assign()
    wide.requests.clear()
    third = office.assign()

    assert Counter(one.verdict.value for one in first.rows) == {"depends": 1, "untrusted": 5}
    assert second.rows == third.rows == first.rows
    assert [(one.path, one.status) for one in wide.requests] == [
        ("/repos/acme/app/issues", 304),
        (f"/repos/acme/lib/issues/{need}", 304),
    ]


@pytest.mark.timeout(400)
def test_every_eligible_issue_is_dispatched_once_whatever_goes_wrong(
    wide: GitHubStandIn, store: Store
) -> None:
    expected = big_hub(wide)
    office = Office.open(wide, store, sorted({repo for repo, _ in expected}))
    office.staff(*WORKERS)
    wide.fault(status=502, times=None, every=40)
    wide.fault(status=503, times=None, every=40, after_effect=True)
    runs: Counter[tuple[str, int]] = Counter()

    with a_human_labelling(wide, expected) as touched:
        limits = 0
        while True:
            limits += add_limit(wide, limits)
            done = two_at_once(office)
            assert all(one.asked <= BUDGET for one in done)
            tasks = store.tasks.open_tasks()
            runs.update((one.spec.repo, one.spec.issue or 0) for one in tasks)
            if limits == 2 and not tasks and settled(done):
                break
            for task in tasks:
                complete(office, task)

    wanted = {one for one, eligible in expected.items() if eligible}
    assert set(runs.values()) == {1}
    assert set(runs) <= wanted
    assert wanted - set(runs) <= touched
    assert len(touched) > 20
    wide.clear_faults()
    assert office.reconcile().stopped == ""
    humans = touched | {one for one in expected if one[1] % 10 == 2}
    for repo, number in expected:
        marks = {one for one in office.marks(repo, number) if one.startswith("worker:")}
        assert marks == ({"worker:99"} if (repo, number) in humans else set()), (repo, number)


def test_no_label_is_wrong_after_one_reconcile(wide: GitHubStandIn, store: Store) -> None:
    expected = big_hub(wide)
    office = Office.open(wide, store, sorted({repo for repo, _ in expected}))
    office.staff(*WORKERS)
    wide.fault(status=502, times=None, every=40)
    wide.fault(status=503, times=None, every=40, after_effect=True)
    while len(store.tasks.open_tasks()) < 45:
        two_at_once(office)
    tasks = store.tasks.open_tasks()
    taken = {(one.spec.repo, one.spec.issue) for one in tasks}
    free = [one for one, eligible in expected.items() if eligible and one not in taken]
    for repo, number in free[:5]:
        wide.label_issue(repo, number, "worker:77", actor=BOT)  # of a worker long gone
    for task in tasks[:5]:
        office.run(task)
        wide.unlabel_issue(task.spec.repo, task.spec.issue or 0, f"worker:{task.worker}")
    for task in tasks[5:10]:
        wide.label_issue(task.spec.repo, task.spec.issue or 0, "worker:50", actor="acme")
    for task in tasks[10:15]:
        wide.close_issue(task.spec.repo, task.spec.issue or 0)

    done = office.reconcile()

    assert done.stopped == ""
    holders = {(one.spec.repo, one.spec.issue): one.worker for one in store.tasks.open_tasks()}
    assert len(holders) == len(tasks) - 5
    for repo, number in expected:
        worker = holders.get((repo, number))
        mine = [one for one in office.marks(repo, number) if one.startswith("worker:")]
        human = ["worker:99"] if number % 10 == 2 else []
        assert mine == ([f"worker:{worker}"] if worker else human), (repo, number)
    assert office.reconcile().rows == ()


def two_at_once(office: Office) -> list[Assigned]:
    found: list[Assigned] = []
    threads = [
        threading.Thread(target=lambda: found.append(office.assign(github_token=TOKEN)))
        for _ in range(2)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(found) == 2
    return found


def settled(done: list[Assigned]) -> bool:
    """A whole pass found nothing to do and nothing left to ask."""
    whole = [one for one in done if not one.busy and not one.stopped]
    words = [{row.verdict.value for row in one.rows} for one in whole]
    return any(not {"assign", "unknown", "refused", "no_worker"} & one for one in words)


def add_limit(hub: GitHubStandIn, so_far: int) -> int:
    """Two secondary limits, early on: one hits a write, one a read."""
    if so_far >= 2:
        return 0
    if so_far == 0:
        hub.secondary_limit(method="POST", path_regex="/issues/[0-9]+/labels$")
    else:
        hub.secondary_limit(method="GET", path_regex="/issues/[0-9]+$", retry_after=1)
    return 1


def complete(office: Office, task: Task) -> None:
    """The worker succeeds, its pull request is merged, its label goes."""
    repo, number = task.spec.repo, task.spec.issue or 0
    office.finish(task, OutcomeKind.SUCCEEDED)
    office.hub.close_issue(repo, number)
    office.hub.unlabel_issue(repo, number, f"worker:{task.worker}")


@contextmanager
def a_human_labelling(
    hub: GitHubStandIn, expected: dict[tuple[str, int], bool]
) -> Iterator[set[tuple[str, int]]]:
    """Takes an issue for herself whenever fifty more requests were answered."""
    touched: set[tuple[str, int]] = set()
    over = threading.Event()
    wishes = [one for at, one in enumerate(expected) if at % 23 == 7]

    def label() -> None:
        for count, (repo, number) in enumerate(wishes):
            while len(hub.requests) < (count + 1) * 50 and not over.is_set():
                seen = len(hub.requests)
                hub.requests.wait_for(lambda log, seen=seen: len(log) > seen, 0.5)  # type: ignore[misc]
            if over.is_set():
                return
            touched.add((repo, number))
            hub.label_issue(repo, number, "worker:99", actor="acme")

    human = threading.Thread(target=label)
    human.start()
    try:
        yield touched
    finally:
        over.set()
        wait_until(lambda: not human.is_alive(), what="the human")
