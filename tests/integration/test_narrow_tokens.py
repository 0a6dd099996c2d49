"""Pull requests of private repositories with a fine-grained token, to which GitHub shows no check
runs: the stand-in over HTTP, and passes with a real store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cw.errors import RightMissingError
from cw.forges.watched import CheckState, Look, PullName, Unread
from cw.github.client import GitHub
from cw.store import keys
from cw.store.store import Store
from tests.conftest import Cw
from tests.integration.assigning import BOT, TOKEN
from tests.integration.following import Hands, Road
from tests.kept import Memory
from tests.needs import need
from tests.standins.github import Annotation, GitHubStandIn

REPO = "acme/secret"
RIGHTS = {"contents": "write", "issues": "write", "pull_requests": "write"}
ACTIONS, STATUSES = {"actions": "read"}, {"statuses": "read"}
BOTH = ACTIONS | STATUSES
A_ONE, S_ONE = "actions: read", "commit statuses: read"
GREEN, RED, PENDING = CheckState.GREEN, CheckState.RED, CheckState.PENDING
TEST = "CI / test"
QUIET = timedelta(minutes=6)

Narrow = Callable[..., GitHub]


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def hub(tmp_path: Path, hands: Hands) -> Iterator[GitHubStandIn]:
    need("git")
    with GitHubStandIn(tmp_path / "hub", clock=hands.now) as hub:
        hub.add_repo(REPO, private=True)
        hub.add_user("owner", permissions={REPO: "admin"})
        yield hub


@pytest.fixture
def road(hub: GitHubStandIn, store: Store, hands: Hands) -> Road:
    return Road.open(hub, store, hands, [REPO], pulls_repairs=0)


@pytest.fixture
def narrow(hub: GitHubStandIn) -> Narrow:
    """A client whose token may do no more than write issues and pull requests, and this."""
    hub.add_user(BOT, permissions={REPO: "write"})

    def made(**grants: str) -> GitHub:
        hub.add_token(BOT, "narrow", grants=RIGHTS | grants)
        return GitHub(hub.api_url, "narrow", pace=0)

    return made


def pull(hub: GitHubStandIn) -> PullName:
    hub.add_commit(REPO, "issue-1", {"1.txt": "one\n"})
    return PullName(REPO, hub.add_pull(REPO, "issue-1", "Fix it", author=BOT))


def head(hub: GitHubStandIn) -> str:
    return hub.heads(REPO)["issue-1"]


def look(github: GitHub, name: PullName, kept: Memory | None = None) -> Look:
    watch = github.watch(kept or Memory())
    found = watch.looks([name])
    assert not watch.odd
    return found[name]


def states(found: Look) -> dict[str, CheckState]:
    return {check.name: check.state for check in found.checks}


def asked(hub: GitHubStandIn) -> list[tuple[str, int, int]]:
    """The end of each path, its status, and what GraphQL refused."""
    return [(one.path.rpartition("/")[2], one.status, one.errors) for one in hub.requests]


def test_jobs_and_statuses_stand_for_the_checks(hub: GitHubStandIn, narrow: Narrow) -> None:
    name = pull(hub)
    hub.require(REPO, TEST)
    hub.check(REPO, "issue-1", "test", "timed_out")
    hub.check(REPO, "issue-1", "lint")
    hub.check(REPO, "issue-1", "pages", "skipped", workflow="Site")
    hub.set_status(REPO, "issue-1", "legacy", "success")
    hub.check(REPO, "main", "test", "failure")
    hub.start_thread(REPO, name.number, "Wrong", author="owner")

    found = look(narrow(**BOTH), name)

    assert states(found) == {
        TEST: RED,
        "CI / lint": PENDING,
        "Site / pages": CheckState.NEUTRAL,
        "legacy": GREEN,
    }
    assert found.unread is None
    assert found.red_on_base == {TEST}
    assert not any(check.required for check in found.checks)
    assert all(check.since for check in found.checks)
    assert [one.first.body for one in found.threads] == ["Wrong"]


def test_jobs_that_ran_last_count(hub: GitHubStandIn, narrow: Narrow) -> None:
    name, github = pull(hub), narrow(actions="write", statuses="read")
    hub.check(REPO, "issue-1", "test", "failure")
    (red,) = github.failures(REPO, head(hub), [TEST], Memory())

    github.rerun(REPO, [red.rerunnable])

    assert states(look(github, name)) == {TEST: PENDING}


@pytest.mark.parametrize(
    ("grants", "seen", "unread"),
    [
        ({}, {}, Unread(lacks=(A_ONE, S_ONE))),
        (ACTIONS, {TEST: GREEN}, Unread(lacks=(S_ONE,))),
        (STATUSES, {"legacy": GREEN}, None),  # it is told what all come to
        (BOTH, {TEST: GREEN, "legacy": GREEN}, None),
    ],
)
def test_what_each_token_is_told(
    hub: GitHubStandIn,
    narrow: Narrow,
    grants: dict[str, str],
    seen: dict[str, CheckState],
    unread: Unread | None,
) -> None:
    name = pull(hub)
    hub.check(REPO, "issue-1", "test", "success")
    hub.set_status(REPO, "issue-1", "legacy", "success")

    found = look(narrow(**grants), name)

    assert states(found) == seen
    assert found.unread == unread


@pytest.mark.parametrize(("ended", "state"), [("failure", RED), (None, PENDING), ("success", None)])
def test_check_of_another_app_is_known_by_what_all_come_to(
    hub: GitHubStandIn, narrow: Narrow, ended: str | None, state: CheckState | None
) -> None:
    name = pull(hub)
    hub.check(REPO, "issue-1", "test", "success")
    hub.check(REPO, "issue-1", "coverage", ended, workflow="")

    found = look(narrow(**BOTH), name)

    assert states(found) == {TEST: GREEN}
    assert found.unread == (Unread(state=state) if state else None)


def test_nothing_is_refused_twice(hub: GitHubStandIn, narrow: Narrow) -> None:
    name, github, kept = pull(hub), narrow(), Memory()
    hub.check(REPO, "issue-1", "test", "failure")
    github.watch(kept).glances([name])
    look(github, name, kept)
    first = asked(hub)
    hub.requests.clear()

    github.watch(kept).glances([name])
    found = look(github, name, kept)
    failures = github.failures(REPO, head(hub), [TEST], kept)

    assert first == [("graphql", 200, 1), ("graphql", 200, 0), ("runs", 403, 0), ("status", 403, 0)]
    assert asked(hub) == [("graphql", 200, 0), ("graphql", 200, 0)]
    assert (found.unread, failures) == (Unread(lacks=(A_ONE, S_ONE)), ())


def test_what_did_not_change_is_free(hub: GitHubStandIn, narrow: Narrow) -> None:
    name, github, kept = pull(hub), narrow(**BOTH), Memory()
    hub.check(REPO, "issue-1", "test", "success")
    look(github, name, kept)
    hub.requests.clear()

    found = look(github, name, kept)

    assert [(last, status) for last, status, _ in asked(hub)] == [
        ("graphql", 200),
        ("runs", 304),
        ("jobs", 304),
        ("status", 304),
    ]
    assert states(found) == {TEST: GREEN}


def test_failures_come_from_jobs_with_their_logs(hub: GitHubStandIn, narrow: Narrow) -> None:
    """Annotations are of check runs: they are not asked for."""
    pull(hub)
    note = Annotation("1.txt", 1, "no")
    hub.check(REPO, "issue-1", "test", "failure", log="it failed", annotations=[note])
    hub.set_status(REPO, "issue-1", "legacy", "error")
    names = [TEST, "legacy", "CI / lint"]

    job, status = narrow(**BOTH).failures(REPO, head(hub), names, Memory())

    assert (job.name, job.conclusion, job.log, job.notes) == (TEST, "failure", "it failed", ())
    assert job.url.endswith("/actions/runs/{}/job/{}".format(*job.rerunnable.split("/")))
    assert job.started_at
    assert (status.name, status.conclusion) == ("legacy", "error")
    assert "annotations" not in [last for last, _, _ in asked(hub)]


def test_token_that_may_only_read_actions_runs_nothing_again(
    hub: GitHubStandIn, narrow: Narrow
) -> None:
    pull(hub)
    hub.check(REPO, "issue-1", "test", "failure")
    github = narrow(**BOTH)
    (red,) = github.failures(REPO, head(hub), [TEST], Memory(), logs=False)

    with pytest.raises(RightMissingError) as refused:
        github.rerun(REPO, [red.rerunnable])

    assert refused.value.hint == "Give the token actions: write"


@pytest.mark.parametrize(
    ("ended", "state", "waits"),
    [
        ("success", "ready", "a look, and the merge"),
        ("failure", "needs you", f"red: {TEST}"),
        (None, "checking", f"checks run: {TEST}"),
    ],
)
def test_pull_request_is_followed_with_actions_and_statuses(
    road: Road, hub: GitHubStandIn, ended: str | None, state: str, waits: str
) -> None:
    number = road.pull(REPO)
    hub.check(REPO, road.branch(number, REPO), "test", ended)
    hub.add_token(BOT, TOKEN, grants=RIGHTS | BOTH)

    done = road.follow(QUIET)

    assert (done.warnings, done.stopped) == ((), "")
    assert (road.state(number, REPO), road.record(number, REPO).waits) == (state, waits)


def test_nothing_is_ready_whose_checks_nobody_can_read(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    """All else is followed, and what the token lacks is said once."""
    road.office.staff("01")
    numbers = [road.pull(REPO), road.pull(REPO)]
    for number in numbers:
        hub.check(REPO, road.branch(number, REPO), "test", "success")
    hub.add_token(BOT, TOKEN, grants=RIGHTS)
    road.follow(QUIET)
    told = road.cw(cw, "prs").stdout
    rows = json.loads(road.cw(cw, "prs", "--json").stdout)
    for number in numbers:
        road.age(number, REPO)
    merged = road.cw(cw, "merge", f"{REPO}#{numbers[0]}", "--yes")
    read = json.loads(road.cw(cw, "review", "--json").stdout)
    notices = road.notices()
    hub.merge_pull(REPO, numbers[0])
    road.follow(QUIET)

    assert [(row["state"], row["cause"], row["checks"], row["lacks"]) for row in rows] == [
        ("needs you", "unread", "not readable with this token", [A_ONE, S_ONE])
    ] * 2
    assert told.count(f"Checks of {REPO} are not readable with this token.") == 1
    assert f"Give it {A_ONE} and {S_ONE}." in told
    assert merged.returncode == 2
    assert "checks: not readable with this token" in merged.stderr
    assert [row["pull"]["number"] for row in read] == numbers
    assert notices[0].startswith("unread: ")
    assert road.state(numbers[0], REPO) == "merged"


def test_token_that_was_given_more_is_asked_again_after_an_hour(
    road: Road, hub: GitHubStandIn
) -> None:
    number = road.pull(REPO)
    hub.check(REPO, road.branch(number, REPO), "test", "success")
    hub.add_token(BOT, TOKEN, grants=RIGHTS)
    road.follow(QUIET)
    before = road.state(number, REPO)
    hub.add_token(BOT, TOKEN, grants=RIGHTS | BOTH)
    road.follow(QUIET)
    within = road.state(number, REPO)
    client = road.store.connection.client
    lives = [client.ttl(key) for key in client.scan_iter(keys.github_fact("refused:*"))]
    for key in client.scan_iter(keys.github_fact("refused:*")):
        client.delete(key)  # as an hour does
    road.follow(QUIET)
    road.follow(QUIET)

    assert before == within == "needs you"
    assert len(lives) == 3
    assert all(0 < life <= 3600 for life in lives)
    assert road.state(number, REPO) == "ready"


def test_conflict_is_seen_whatever_the_checks_say(road: Road, hub: GitHubStandIn) -> None:
    hub.add_commit(REPO, "main", {"1.txt": "before\n"})
    number = road.pull(REPO, {"1.txt": "ours\n"})
    hub.check(REPO, road.branch(number, REPO), "test", "success")
    hub.add_token(BOT, TOKEN, grants=RIGHTS)
    hub.add_commit(REPO, "main", {"1.txt": "theirs\n"})

    road.follow(QUIET)

    record = road.record(number, REPO)
    assert record.cause == "conflict"
    assert record.waits.endswith("; checks: not readable with this token")


def test_red_job_is_mended(hub: GitHubStandIn, store: Store, hands: Hands) -> None:
    road = Road.open(hub, store, hands, [REPO])
    road.office.staff("01")
    number = road.pull(REPO)
    hub.check(REPO, road.branch(number, REPO), "test", "failure", log="it failed")
    hub.add_token(BOT, TOKEN, grants=RIGHTS | BOTH)

    road.follow(QUIET)

    (task,) = road.store.tasks.open_tasks()
    assert task.spec.repair
    assert (task.spec.repair.cause, task.spec.repair.checks) == ("checks", (TEST,))


def test_red_check_that_nobody_can_read_is_a_persons(
    hub: GitHubStandIn, store: Store, hands: Hands
) -> None:
    """A repair could not be told of it."""
    road = Road.open(hub, store, hands, [REPO])
    number = road.pull(REPO)
    hub.check(REPO, road.branch(number, REPO), "coverage", "failure", workflow="")
    hub.add_token(BOT, TOKEN, grants=RIGHTS | BOTH)

    road.follow(QUIET)

    assert road.store.tasks.open_tasks() == []
    assert road.record(number, REPO).waits == "a check is red that is not readable with this token"
