"""`reconcile` against the GitHub stand-in, with a real store: each row of the table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from cw.forges.issues import Issue
from cw.github.client import GitHub
from cw.models import Outcome
from cw.operations.passes.context import PassContext
from cw.operations.reconciliation.reconcile import Reconciled, reconcile
from cw.pulls.record import Cause
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Holder, Settlement
from cw.store.store import Store
from tests.conftest import Cw
from tests.integration.assigning import BOT, TOKEN, Office
from tests.repairs import repair_of
from tests.standins.github import GitHubStandIn

REPO = "acme/app"


@pytest.fixture
def office(hub: GitHubStandIn, store: Store) -> Office:
    made = Office.open(hub, store, [REPO])
    made.staff("01", "02")
    return made


def actions(done: Reconciled) -> list[str]:
    return [f"{one.action.value} {one.worker}".strip() for one in done.rows]


def given_task(office: Office, hub: GitHubStandIn) -> int:
    """An issue that worker 01 has, queued."""
    number = hub.add_issue(REPO, "Something")
    assert [one.worker for one in office.assign(assign_reserve=1).dispatched] == ["01"]
    return number


def test_agreement_is_left_alone_and_costs_nothing(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    hub.add_issue(REPO, "Not ours")
    office.run(office.tasks()[number])
    office.reconcile()

    again = office.reconcile()

    assert again.rows == ()
    assert again.asked == again.unchanged == 2
    assert office.marks(REPO, number) == ["worker:01"]


def test_our_label_without_a_task_is_dispatched_again(office: Office, hub: GitHubStandIn) -> None:
    number = hub.add_issue(REPO, "Left over")
    hub.label_issue(REPO, number, "worker:02", actor=BOT)

    young = office.reconcile(reconcile_grace=60.0)
    done = office.reconcile()

    assert actions(young) == []
    assert actions(done) == ["adopt 02"]
    assert office.tasks()[number].spec.wanted_worker == "02"
    assert office.marks(REPO, number) == ["worker:02"]
    assert office.reconcile().rows == ()


def test_label_of_a_human_without_a_task_is_only_reported(
    office: Office, hub: GitHubStandIn
) -> None:
    number = hub.add_issue(REPO, "Mine")
    hub.label_issue(REPO, number, "worker:02", actor="owner")

    done = office.reconcile()

    assert [(one.action.value, one.done) for one in done.rows] == [("report", False)]
    assert office.tasks() == {}
    assert office.marks(REPO, number) == ["worker:02"]


def test_our_label_of_a_worker_that_is_gone_is_taken_off(
    office: Office, hub: GitHubStandIn
) -> None:
    number = hub.add_issue(REPO, "Left over")
    hub.label_issue(REPO, number, "worker:77", actor=BOT)

    assert actions(office.reconcile()) == ["unlabel 77"]
    assert office.marks(REPO, number) == []


def test_label_taken_off_a_running_task_is_put_back_once(
    office: Office, hub: GitHubStandIn
) -> None:
    number = given_task(office, hub)
    office.run(office.tasks()[number])
    hub.unlabel_issue(REPO, number, "worker:01", actor="owner")

    first = office.reconcile()
    marks = office.marks(REPO, number)
    hub.unlabel_issue(REPO, number, "worker:01", actor="owner")
    second = office.reconcile()

    assert (actions(first), marks) == (["relabel 01"], ["worker:01"])
    assert (actions(second), office.marks(REPO, number)) == (["report 01"], [])
    assert office.tasks()[number].state is State.RUNNING


MOVED = "http://github.localhost/acme/moved/issues"  # as a repository answers that is renamed now


@pytest.mark.parametrize(
    ("status", "body", "times"),
    [
        (401, {"message": "Bad credentials"}, None),
        (403, {"message": "Resource not accessible by personal access token"}, None),
        (404, {"message": "Not Found"}, 1),
        (200, {"number": 1, "html_url": f"{MOVED}/1", "title": "Something"}, 1),
    ],
    ids=["token refused", "no permission", "not found for a moment", "renamed at this moment"],
)
def test_issue_that_github_does_not_show_for_a_moment_is_not_closed(
    office: Office, hub: GitHubStandIn, status: int, body: dict[str, object], times: int | None
) -> None:
    number = given_task(office, hub)
    hub.fault(path_regex="/issues$", status=200, body=[], times=1)
    hub.fault(path_regex=f"/issues/{number}$", status=status, body=body, times=times)

    done = office.reconcile()

    assert [one for one in done.rows if one.done] == []
    assert office.tasks()[number].state is State.QUEUED
    assert office.marks(REPO, number) == ["worker:01"]


class Slow(GitHub):
    """The task ends while an issue is asked for."""

    then: Callable[[], None]

    def issue(self, repo: str, number: int) -> Issue:
        found = super().issue(repo, number)
        self.then()
        return found


def test_label_of_a_task_that_ends_meanwhile_is_not_put_back(
    office: Office, hub: GitHubStandIn
) -> None:
    number = given_task(office, hub)
    hub.unlabel_issue(REPO, number, "worker:01", actor=BOT)
    task = office.tasks()[number]
    grant = office.run(task)
    github = Slow(hub.api_url, TOKEN, pace=0)
    github.then = lambda: office.settle(task, grant, OutcomeKind.SUCCEEDED)

    done = reconcile(replace(office.ways(), github=github))

    assert done.rows == ()
    assert office.marks(REPO, number) == []


def test_issue_that_is_gone_ends_its_task(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    hub.fault(path_regex="/issues$", status=200, body=[], times=1)
    hub.fault(path_regex=f"/issues/{number}$", status=410, body={"message": "Gone"}, times=None)

    assert actions(office.reconcile()) == ["close"]
    assert office.tasks() == {}


def test_list_that_cannot_be_read_whole_says_nothing_of_what_is_not_in_it(
    office: Office, hub: GitHubStandIn
) -> None:
    number = given_task(office, hub)
    before = len(hub.requests.matching("GET", f"/issues/{number}$"))
    hub.fault(path_regex="/issues$", status=200, body=[{"number": "x"}], times=1)

    done = office.reconcile()

    assert done.rows == ()
    assert len(hub.requests.matching("GET", f"/issues/{number}$")) == before
    assert any("cannot be read" in one for one in done.warnings)


def test_label_taken_off_a_waiting_task_ends_it(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    task = office.tasks()[number]
    hub.unlabel_issue(REPO, number, "worker:01", actor="owner")

    done = office.reconcile()

    assert actions(done) == ["close"]
    ended = office.store.tasks.get(task.spec.id)
    assert ended is not None
    assert ended.outcome is not None
    assert (ended.state, ended.outcome.kind) == (State.DONE, OutcomeKind.STOPPED)
    assert ended.outcome.reason == "label_removed"
    assert office.store.tasks.claimed_by(REPO, number) is None
    assert office.store.tasks.waiting("01") == []


def test_label_that_the_task_before_took_off_ends_no_repair(
    office: Office, hub: GitHubStandIn
) -> None:
    number = given_task(office, hub)
    author = office.tasks()[number]
    office.finish(author, OutcomeKind.SUCCEEDED, office.pull(REPO, number))
    hub.unlabel_issue(REPO, number, "worker:01", actor=BOT)
    made = office.store.tasks.get(author.spec.id)
    assert made
    made = made.model_copy(update={"worker": "01"})
    outcome = Outcome(
        kind=OutcomeKind.SUCCEEDED,
        reason="done",
        message="done",
        pr=f"http://github.localhost/{REPO}/pull/2",
        branch=f"issue-{number}",
        head=hub.heads(REPO)[f"issue-{number}"],
    )
    repair = repair_of(made.model_copy(update={"outcome": outcome}), Cause.CHECKS)
    office.store.tasks.create(repair, "")

    waiting = office.reconcile()
    into(office, number, State.HELD)  # before GitHub was told that it runs
    held = office.reconcile()

    assert actions(waiting) == []
    assert actions(held) == ["relabel 01"]
    assert office.tasks()[number].spec.id == repair.id


def test_waiting_task_that_never_got_its_label_gets_it(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    hub.state.repo(REPO).issues[number].labels.clear()
    hub.state.repo(REPO).issues[number].events.clear()

    assert actions(office.reconcile()) == ["relabel 01"]
    assert office.tasks()[number].state is State.QUEUED


@pytest.mark.parametrize("state", [State.QUEUED, State.HELD, State.CRASHED, State.STOPPED])
def test_closed_issue_ends_its_task(office: Office, hub: GitHubStandIn, state: State) -> None:
    number = given_task(office, hub)
    task = office.tasks()[number]
    into(office, number, state)
    hub.close_issue(REPO, number)

    done = office.reconcile()

    assert actions(done) == ["close", "unlabel 01"]
    ended = office.store.tasks.get(task.spec.id)
    assert ended is not None
    assert ended.outcome is not None
    assert ended.outcome.reason == "issue_closed"
    assert office.marks(REPO, number) == []
    assert office.store.tasks.claimed_by(REPO, number) is None
    assert [one.task for one in office.store.fleet.workers()] == [None, None]
    client = office.store.connection.client
    assert [client.zcard(f"cw:{name}") for name in ("open", "holds", "leases")] == [0, 0, 0]
    assert office.reconcile().rows == ()


def into(office: Office, number: int, state: State) -> None:
    """Bring the task of an issue into a state by the store's own moves."""
    task = office.tasks()[number]
    moves = {State.HELD: Move.HOLD, State.CRASHED: Move.LOSE, State.STOPPED: Move.STOP}
    if state in moves:
        grant = office.run(task)
        outcome = Outcome(
            kind=OutcomeKind.DEFERRED,
            reason="test",
            message="later",
            retry_at=office.store.tasks.now(),
        )
        assert office.store.tasks.settle(
            Holder(grant.task_id, "01", grant.fence),
            Settlement(moves[state], outcome),
        )
    assert office.tasks()[number].state is state


def test_run_under_a_closed_issue_is_asked_to_stop(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    office.run(office.tasks()[number])
    hub.close_issue(REPO, number)

    told = office.reconcile()

    assert [(one.action.value, one.done) for one in told.rows] == [("stop", True)]
    assert office.tasks()[number].stop_wanted
    assert office.marks(REPO, number) == ["worker:01"]


def test_blocked_label_ends_a_waiting_task(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    hub.label_issue(REPO, number, "blocked", actor="owner")

    assert actions(office.reconcile()) == ["close", "unlabel 01"]
    assert office.marks(REPO, number) == ["blocked"]
    assert office.tasks() == {}


@pytest.mark.parametrize(
    ("fate", "does", "marks"),
    [
        ("open", ["unlabel 01"], []),
        ("merged", ["unlabel 01"], []),
        ("closed", ["unlabel 01", "block"], ["blocked"]),
    ],
)
def test_pull_request_decides_about_the_label(
    office: Office, hub: GitHubStandIn, fate: str, does: list[str], marks: list[str]
) -> None:
    number = given_task(office, hub)
    url = office.pull(REPO, number)
    office.finish(office.tasks()[number], OutcomeKind.SUCCEEDED, url)
    if fate == "merged":
        hub.merge_pull(REPO, int(url.rpartition("/")[2]))
    if fate == "closed":
        hub.close_issue(REPO, int(url.rpartition("/")[2]))

    done, again = office.reconcile(), office.reconcile()

    assert actions(done) == does
    assert office.marks(REPO, number) == marks
    assert again.rows == ()
    if fate == "closed":
        assert hub.labels(REPO)["blocked"] == "d93f0b"


def test_two_labels_leave_the_one_with_the_claim(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    hub.label_issue(REPO, number, "worker:02", actor="owner")

    assert actions(office.reconcile()) == ["unlabel 02"]
    assert office.marks(REPO, number) == ["worker:01"]


def test_two_orphans_of_ours_leave_the_first(office: Office, hub: GitHubStandIn) -> None:
    number = hub.add_issue(REPO, "Left over")
    for worker in ("02", "01"):
        hub.label_issue(REPO, number, f"worker:{worker}", actor=BOT)

    assert actions(office.reconcile()) == ["unlabel 01", "adopt 02"]
    assert office.marks(REPO, number) == ["worker:02"]


def test_label_stays_after_a_failure_and_goes_with_the_issue(
    office: Office, hub: GitHubStandIn
) -> None:
    number = given_task(office, hub)
    office.finish(office.tasks()[number], OutcomeKind.FAILED)

    failed = office.reconcile()
    hub.close_issue(REPO, number)
    closed = office.reconcile()

    assert actions(failed) == []
    assert actions(closed) == ["unlabel 01"]
    assert office.marks(REPO, number) == []


def test_nothing_is_done_to_what_is_young(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    hub.close_issue(REPO, number)

    done = office.reconcile(reconcile_grace=60.0)

    assert done.rows == ()
    assert office.tasks()[number].state is State.QUEUED


def test_lists_are_not_believed_without_a_fresh_look(office: Office, hub: GitHubStandIn) -> None:
    number = given_task(office, hub)
    hub.unlabel_issue(REPO, number, "worker:01", actor="owner")
    ways = office.ways()
    back_again(ways, hub, number)

    assert reconcile(ways).rows == ()
    assert sorted(office.tasks()) == [number]


def back_again(ways: PassContext, hub: GitHubStandIn, number: int) -> None:
    """The human changes their mind just before the fresh look."""
    plain = ways.github.issue

    def issue(repo: str, wanted: int) -> object:
        hub.label_issue(REPO, number, "worker:01", actor="owner")
        return plain(repo, wanted)

    ways.github.issue = issue  # type: ignore[assignment]


def test_second_reconcile_at_once_leaves_it_to_the_first(
    office: Office, hub: GitHubStandIn
) -> None:
    with office.store.locks.held("reconcile"):
        assert office.reconcile().busy
    assert not office.reconcile().busy


def test_command_says_what_it_did(
    cw: Cw, office: Office, hub: GitHubStandIn, redis_url: str
) -> None:
    number = given_task(office, hub)
    hub.close_issue(REPO, number)
    environ = {
        "CW_BROKER_URL": redis_url,
        "CW_ASSIGN_REPOS": REPO,
        "CW_GITHUB_API_URL": hub.api_url,
        "CW_RECONCILE_GRACE": "0",
        "GH_TOKEN": TOKEN,
    }

    plan = cw("reconcile", "--dry-run", **environ)
    still = sorted(office.tasks())
    done = cw("reconcile", "--json", **environ)
    after = cw("reconcile", **environ)

    assert "would be done" in plan.stdout
    assert still == [number]
    assert [one["action"] for one in json.loads(done.stdout)["rows"]] == ["close", "unlabel"]
    assert after.stdout == "Labels, tasks and issues agree.\n"
