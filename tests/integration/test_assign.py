"""`assign` against the GitHub stand-in, with a real store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cw.accounts.holds import HoldKind
from cw.accounts.identity import AccountKind, Identity
from cw.errors import BadInputError
from cw.fleet_models import Host
from cw.operations.assignment.assign import Assigned, Pass
from cw.states import OutcomeKind, State
from cw.store.accounts import Refused
from cw.store.store import Store
from tests.conftest import Cw
from tests.integration.assigning import BOT, TOKEN, Office
from tests.standins.github import GitHubStandIn

REPO = "acme/app"


@pytest.fixture
def office(hub: GitHubStandIn, store: Store) -> Office:
    """acme/app with workers 01 and 02, idle. Issues are the owner's unless a test says whose."""
    made = Office.open(hub, store, [REPO])
    made.staff("01", "02")
    return made


def test_oldest_issues_go_to_the_idle_workers_once(office: Office, hub: GitHubStandIn) -> None:
    numbers = [hub.add_issue(REPO, f"Issue {one}") for one in range(3)]

    first, second = office.assign(), office.assign()

    assert [(one.issue, one.worker) for one in first.dispatched] == [
        (numbers[0], "01"),
        (numbers[1], "02"),
    ]
    assert [one.verdict.value for one in first.rows] == ["assign", "assign", "no_worker"]
    assert second.dispatched == []
    assert [one.verdict.value for one in second.rows] == ["taken", "taken", "no_worker"]
    assert office.marks(REPO, numbers[0]) == ["worker:01"]
    assert hub.labels(REPO)["worker:01"] == "5319e7"
    assert [one.issue for one in office.hinted] == numbers[:2]


def test_worker_whose_account_is_held_is_given_nothing(
    office: Office, hub: GitHubStandIn, store: Store
) -> None:
    number = hub.add_issue(REPO, "Issue")
    team = Identity("a" * 16, AccountKind.KEY, "team-a")
    store.accounts.tell("01", team)
    store.accounts.hold(team.id, Refused(HoldKind.CREDENTIAL, "T"))

    done = office.assign()

    assert [(one.issue, one.worker) for one in done.dispatched] == [(number, "02")]


def test_priority_labels_come_first_in_their_order(office: Office, hub: GitHubStandIn) -> None:
    old = hub.add_issue(REPO, "Old")
    later = hub.add_issue(REPO, "Later", labels=["P2"])
    urgent = hub.add_issue(REPO, "Urgent", labels=["prio: now"])

    rows = office.assign(dry_run=True, assign_priority_labels=("Prio: Now", "p2")).rows

    assert [one.issue for one in rows] == [urgent, later, old]
    assert [one.worker for one in rows] == ["01", "02", ""]
    assert office.tasks() == {}


def test_what_is_not_to_be_touched_is_skipped(office: Office, hub: GitHubStandIn) -> None:
    hub.add_repo("acme/lib")
    hub.add_user(BOT, permissions={"acme/lib": "write"})
    need = hub.add_issue("acme/lib", "Needed")
    gone = hub.add_issue("acme/lib", "Closed", state="closed")
    free = hub.add_issue(REPO, "Free", f"Blocked by acme/lib#{gone}")
    expected = {
        hub.add_issue(REPO, "Human at it", labels=["worker:99"]): "taken",
        hub.add_issue(REPO, "Stuck", labels=["blocked"]): "blocked",
        hub.add_issue(REPO, "In text", f"Depends on #{free}"): "depends",
        hub.add_issue(REPO, "Elsewhere", f"Blocked by: acme/lib#{need}"): "depends",
        hub.add_issue(REPO, "By GitHub", blocked_by=1): "depends",
        hub.add_issue(REPO, "Stranger's", author="outsider"): "untrusted",
        hub.add_issue(REPO, "Merged once", author="x", association="CONTRIBUTOR"): "untrusted",
        free: "assign",
    }
    hub.add_commit(REPO, "feature", {"a": "b"})
    expected[hub.add_pull(REPO, "feature", "A pull request")] = "pull_request"

    found = office.verdicts()

    assert found == {f"{REPO}#{number}": word for number, word in expected.items()}


def test_strangers_issue_needs_the_go_label_of_a_writer(office: Office, hub: GitHubStandIn) -> None:
    def stranger(title: str, by: str, label: str = "claude") -> int:
        number = hub.add_issue(REPO, title, "text", author="outsider")
        hub.label_issue(REPO, number, label, actor=by)
        return number

    good = stranger("Good", "bot")
    edited, renamed = stranger("Edited since", "owner"), stranger("Renamed since", "owner")
    expected = {
        good: "assign",
        stranger("By triage", "helper"): "untrusted",
        **{stranger(f"By nobody {one}", "nobody"): "untrusted" for one in range(3)},
        stranger("By a bot", "helpful[bot]"): "untrusted",
        stranger("Another label", "owner", "bug"): "untrusted",
        edited: "untrusted",
        renamed: "untrusted",
    }
    hub.edit_issue(REPO, edited, body="now something evil")
    hub.edit_issue(REPO, renamed, title="Now something evil")

    first, second = office.verdicts(), office.verdicts()

    # A pass asks ten questions at most; what is left over is asked by the next.
    assert "unknown" in first.values()
    assert second == {f"{REPO}#{number}": word for number, word in expected.items()}


def test_reader_of_a_private_repository_is_a_stranger(office: Office, hub: GitHubStandIn) -> None:
    hub.add_repo("acme/secret", private=True)
    hub.add_user(BOT, permissions={"acme/secret": "write"})
    hub.add_user("reader", permissions={"acme/secret": "read"})
    hub.add_user("bot-like[bot]", permissions={"acme/secret": "write"})
    expected = {
        hub.add_issue("acme/secret", "Inside", author="reader", association="MEMBER"): "untrusted",
        hub.add_issue("acme/secret", "By a bot", author="bot-like[bot]"): "untrusted",
        hub.add_issue("acme/secret", "By a writer", author=BOT): "assign",
    }

    found = office.verdicts(assign_repos=("acme/secret",))

    assert found == {f"acme/secret#{number}": word for number, word in expected.items()}


def test_caps_hold_back(office: Office, hub: GitHubStandIn) -> None:
    first, *rest = [hub.add_issue(REPO, f"Issue {one}") for one in range(3)]

    assert list(office.verdicts(assign_repo_cap=1).values()) == ["assign", "repo_cap", "repo_cap"]
    office.assign(assign_reserve=1)
    office.finish(office.tasks()[first], OutcomeKind.SUCCEEDED, office.pull(REPO, first))

    over = office.verdicts(assign_review_cap=0)
    assert over[f"{REPO}#{rest[0]}"] == "assign"
    hub.unlabel_issue(REPO, first, "worker:01")
    assert office.verdicts()[f"{REPO}#{first}"] == "finished"
    office.assign(assign_reserve=1)
    office.finish(office.tasks()[rest[0]], OutcomeKind.SUCCEEDED, office.pull(REPO, rest[0]))
    assert office.verdicts(assign_review_cap=2)[f"{REPO}#{rest[1]}"] == "assign"
    assert office.verdicts(assign_review_cap=1)[f"{REPO}#{rest[1]}"] == "review_cap"


def test_only_workers_with_nothing_to_do_get_something(office: Office, hub: GitHubStandIn) -> None:
    for one in range(5):
        hub.add_issue(REPO, f"Issue {one}")
    office.staff("03", "04")
    office.store.fleet.pause("04", "on leave")

    first = office.assign(assign_reserve=2)
    office.run(office.tasks()[1])
    later = office.assign(dry_run=True)
    office.store.fleet.beat(Host(name="here"), office.store.tasks.now() - timedelta(minutes=5))
    silent = Pass(office.ways(), dry_run=True).run(lambda: None)

    assert [one.worker for one in first.dispatched] == ["01"]
    assert [one.worker for one in later.rows if one.worker] == ["02", "03"]
    assert {one.verdict.value for one in silent.rows} == {"taken", "no_worker"}


def test_owners_repositories_are_found(office: Office, hub: GitHubStandIn) -> None:
    for name in ("acme/old", "acme/new", "other/lib"):
        hub.add_repo(name)
        hub.add_user(BOT, permissions={name: "write"})
        hub.add_issue(name, "Something")
    hub.set_archived("acme/old")

    found = office.verdicts(assign_repos=(), assign_owner="acme")

    assert found == {"acme/new#1": "assign"}


def test_unknown_repository_is_told_and_the_others_go_on(
    office: Office, hub: GitHubStandIn
) -> None:
    hub.add_issue(REPO, "Something")

    done = office.assign(assign_repos=("acme/nothing", REPO))

    assert [one.repo for one in done.dispatched] == [REPO]
    assert done.warnings[0].startswith("acme/nothing: GitHub knows no repository")


def test_unconfigured_is_refused(office: Office) -> None:
    with pytest.raises(BadInputError, match="no repositories"):
        office.assign(assign_repos=())


def together(*calls: Callable[[], Assigned]) -> list[Assigned]:
    """All at once, each in a thread."""
    found: list[Assigned] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Assigned]) -> None:
        gate.wait()
        found.append(call())

    threads = [threading.Thread(target=run, args=(one,)) for one in calls]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    return found


def test_two_passes_at_once_share_the_work(office: Office, hub: GitHubStandIn) -> None:
    for one in range(4):
        hub.add_issue(REPO, f"Issue {one}")

    done = together(office.assign, office.assign)

    assert sum(len(one.dispatched) for one in done) == 2
    assert len(office.tasks()) == 2


def test_two_passes_that_both_believe_to_be_alone_make_one_task_an_issue(
    office: Office, hub: GitHubStandIn
) -> None:
    numbers = [hub.add_issue(REPO, f"Issue {one}") for one in range(6)]
    office.staff(*(f"{one:02}" for one in range(1, 7)))

    def without_lock() -> Assigned:
        return Pass(office.ways()).run(lambda: None)

    done = together(without_lock, without_lock)

    tasks = office.store.tasks.open_tasks()
    assert sorted(one.spec.issue or 0 for one in tasks) == numbers
    assert sum(len(one.dispatched) for one in done) == 6
    for task in tasks:
        assert office.marks(REPO, task.spec.issue or 0) == [f"worker:{task.spec.wanted_worker}"]


def test_label_of_a_human_in_the_last_moment_wins(office: Office, hub: GitHubStandIn) -> None:
    number = hub.add_issue(REPO, "Wanted by two")
    ways = office.ways()
    plain = ways.github.add_label

    def late(repo: str, issue: int, name: str) -> tuple[str, ...]:
        hub.label_issue(REPO, number, "worker:09", actor="owner")
        return plain(repo, issue, name)

    ways.github.add_label = late  # type: ignore[method-assign,assignment]

    done = Pass(ways).run(lambda: None)

    assert [one.verdict.value for one in done.rows] == ["taken"]
    assert office.tasks() == {}
    assert office.marks(REPO, number) == ["worker:09"]


def test_rate_limit_ends_the_pass_and_leaves_nothing_half_done(
    office: Office, hub: GitHubStandIn
) -> None:
    for one in range(2):
        hub.add_issue(REPO, f"Issue {one}")
    hub.secondary_limit(method="POST", path_regex="/issues/2/labels", times=None)

    done = office.assign()

    assert [one.issue for one in done.dispatched] == [1]
    assert "GitHub asks to wait" in done.stopped
    assert sorted(office.tasks()) == [1]
    assert office.marks(REPO, 2) == []


def test_hourly_limit_is_told_and_not_slept_through(office: Office, hub: GitHubStandIn) -> None:
    hub.add_issue(REPO, "Something")
    hub.set_rate_limit(BOT, remaining=0)

    done = office.assign()

    assert "rate limit" in done.stopped
    assert done.rows == ()


def test_long_wait_that_github_asks_for_is_told(office: Office, hub: GitHubStandIn) -> None:
    hub.add_issue(REPO, "Something")
    hub.secondary_limit(method="GET", retry_after=600)

    done = office.assign()

    assert "rate limit" in done.stopped
    assert len(hub.requests.matching("GET")) == 1


def test_repository_that_refuses_is_left_alone_for_the_pass_and_others_are_not(
    office: Office, hub: GitHubStandIn
) -> None:
    """Else a token without rights would cost a request for each of its issues, in each pass."""
    no_push = {"id": 7, "full_name": REPO, "permissions": {"push": False}}
    hub.fault(method="GET", path_regex=f"^/repos/{REPO}$", status=200, body=no_push, times=None)
    for one in range(6):
        hub.add_issue(REPO, f"Issue {one}")
    hub.add_repo("acme/lib")
    hub.set_permission("acme/lib", BOT, "write")
    hub.add_issue("acme/lib", "Elsewhere")

    done = office.assign(assign_repos=(REPO, "acme/lib"))

    refused = [one.reason for one in done.rows if one.verdict.value == "refused"]
    assert [one.repo for one in done.dispatched] == ["acme/lib"]
    assert len(refused) == 6
    assert sum("may not push" in one for one in refused) == 3
    assert len(hub.requests.matching("GET", f"/repos/{REPO}$")) == 3


def test_failed_issue_waits_for_its_label_to_be_taken_off(
    office: Office, hub: GitHubStandIn
) -> None:
    number = hub.add_issue(REPO, "Hard")
    office.assign()
    office.finish(office.tasks()[number], OutcomeKind.FAILED)

    before = office.verdicts()
    hub.unlabel_issue(REPO, number, "worker:01")

    assert (before, office.verdicts()) == ({f"{REPO}#1": "taken"}, {f"{REPO}#1": "assign"})


def test_command_shows_verdicts_and_assigns(
    cw: Cw, office: Office, hub: GitHubStandIn, redis_url: str
) -> None:
    hub.add_issue(REPO, "Fine")
    hub.add_issue(REPO, "Stuck", labels=["blocked"])
    environ: dict[str, Any] = {
        "CW_BROKER_URL": redis_url,
        "CW_ASSIGN_REPOS": REPO,
        "CW_GITHUB_API_URL": hub.api_url,
        "CW_GITHUB_URL": "http://github.localhost",
        "GH_TOKEN": TOKEN,
    }

    plan = cw("assign", "--dry-run", **environ)
    nothing = office.tasks()
    done = cw("assign", **environ)
    away = cw("assign", **{**environ, "CW_GITHUB_API_URL": "http://127.0.0.1:9"})
    unset = cw("assign", **{**environ, "CW_ASSIGN_REPOS": ""})

    assert plan.returncode == 0, plan.stderr
    assert "blocked" in plan.stdout
    assert plan.stdout.splitlines()[-1] == "0 assigned; 1 assign, 1 blocked"
    assert nothing == {}
    assert done.stdout.splitlines()[-1] == "1 assigned; 1 blocked"
    assert [one.state for one in office.tasks().values()] == [State.QUEUED]
    assert (away.returncode, away.stderr.count("\n")) == (4, 1)
    assert unset.returncode == 2
    assert "assign.repos" in unset.stderr


def test_dependency_that_the_token_may_not_see_counts_as_open(
    office: Office, hub: GitHubStandIn
) -> None:
    number = hub.add_issue(REPO, "Waits", "Blocked by: acme/lib#7")
    refused = {"message": "Resource not accessible by personal access token"}
    hub.fault(path_regex="^/repos/acme/lib/issues/7$", status=403, body=refused, times=1)

    assert office.assign(assign_reserve=1).dispatched == []
    assert [one.issue for one in office.assign(assign_reserve=1).dispatched] == [number]  # no such
