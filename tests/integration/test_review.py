"""`cw review` as programs type it: what there is to review, and one thing done with one of them;
against the stand-in over HTTP, with a real store.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cw.cli.views.schemas import schemas
from cw.github.client import GitHub
from cw.operations.pulls.follow import LOCK
from cw.operations.pulls.merge import Merger
from cw.operations.pulls.review import Desk
from cw.operations.pulls.review_plan import entries, read
from cw.pulls.states import move_to
from tests.conftest import Cw
from tests.integration.assigning import BOT
from tests.integration.following import Road
from tests.integration.test_follow_pulls import PERSON, REPO, hands, hub, road
from tests.integration.test_merge import merged, names, ready
from tests.standins.github import GitHubStandIn
from tests.standins.github.app_key import app_key
from tests.standins.github.model import Pull

__all__ = ["hands", "hub", "road"]  # fixtures

APP = 7
PRIVATE, PUBLIC = app_key()


def mine(road: Road, cw: Cw, *typed: str, **more: str) -> subprocess.CompletedProcess[str]:
    """As the owner types it, who has a token of their own."""
    return cw("review", *typed, **road.env(), GH_TOKEN=f"{PERSON}-token", **more)


def pull(hub: GitHubStandIn, number: int) -> Pull:
    found = hub.state.issue(hub.state.repo(REPO), number).pull
    assert found
    return found


def head(hub: GitHubStandIn, number: int) -> str:
    return pull(hub, number).head_sha


def audited(road: Road, cw: Cw) -> list[dict[str, Any]]:
    return [line["facts"] for line in json.loads(road.cw(cw, "audit", "--json").stdout)]


def test_what_there_is_to_review_is_listed_with_its_diffs(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    wide, narrow = ready(road, {"a": "1\n", "b": "1\n"}, {"a": "1\n"})
    red = road.pull()
    hub.check(REPO, road.branch(red), "test", "failure")
    road.follow(timedelta(minutes=6))

    done = mine(road, cw, "--json")

    rows = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    Draft202012Validator(json.loads(schemas()["review"])).validate(rows)
    assert [(row["pull"]["number"], row["pull"]["shares"], row["method"]) for row in rows] == [
        (wide, [narrow], "squash"),
        (narrow, [wide], "squash"),
    ]
    assert (rows[1]["head"], rows[1]["cut"]) == (head(hub, narrow), False)
    assert rows[1]["diff"].startswith("diff --git a/a b/a\n")
    assert rows[1]["issue_title"] == road.record_task(narrow).spec.title
    assert rows[1]["issue_url"].endswith(f"/{REPO}/issues/{road.record(narrow).issue}")
    assert [pull(hub, number).said for number in (wide, narrow, red)] == [[], [], []]


def test_named_ones_are_listed_whatever_they_wait_for_while_they_are_open(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    red, gone = road.pull(), road.pull()
    hub.check(REPO, road.branch(red), "test", "failure")
    road.follow(timedelta(minutes=6))
    road.age(red)
    hub.close_issue(REPO, gone)

    done = mine(road, cw, "--json", *names([red, gone]))
    alone = mine(road, cw, "--json", str(gone))

    assert [row["pull"]["cause"] for row in json.loads(done.stdout)] == ["checks"]
    assert done.stderr.splitlines() == [f"cw: {REPO}#{gone}: it is closed already"]
    assert (done.returncode, alone.returncode, alone.stdout.strip()) == (1, 2, "[]")


def test_one_that_only_a_look_moves_is_listed_and_merged_once_it_is_approved(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    (number,) = ready(road, {"a": "1\n"})
    record = road.record(number)
    halted = record.model_copy(update={"halted": "its last repair was blocked"})
    now = road.store.tasks.now()
    assert road.store.pulls.move(halted, move_to(record.state), now)

    rows = json.loads(mine(road, cw, "--json").stdout)
    early = mine(road, cw, str(number), "--merge")
    mine(road, cw, str(number), "--approve")
    late = mine(road, cw, str(number), "--merge")

    assert [(row["pull"]["cause"], row["pull"]["state"]) for row in rows] == [("look", "needs you")]
    assert (early.returncode, late.returncode) == (2, 0), late.stderr
    assert merged(hub) == {number}


def test_diff_that_is_too_large_says_so(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    ready(road, {"a": "1\n" * 20_001})

    (row,) = json.loads(mine(road, cw, "--json").stdout)

    assert (row["diff"], row["cut"]) == ("", True)


def test_diff_is_of_the_head_that_stands_beside_it(road: Road, hub: GitHubStandIn) -> None:
    """Even if somebody pushes after the one was asked for and before the other."""
    (number,) = ready(road, {"a": "1\n"})

    with ExitStack() as other:

        def push(_: float) -> None:
            hub.add_commit(REPO, road.branch(number), {"b": "1\n"}, actor=f"{BOT}[bot]")
            other.close()

        merger = Merger(ways=road.office.ways(), pause=push)
        (entry,), _ = entries(merger, [str(number)])
        other.enter_context(road.store.locks.held(LOCK))
        found = read(merger, entry)

    assert not isinstance(found, str)
    now, sheet = found
    assert now.record.head == sheet.head == head(hub, number)
    assert "diff --git a/b b/b" in sheet.diff


def test_only_the_head_that_was_shown_is_reviewed(road: Road, hub: GitHubStandIn) -> None:
    """GitHub takes a review of any head."""
    (number,) = ready(road, {"a": "1\n"})
    ways = road.office.ways()
    merger = Merger(ways=ways, pause=lambda _: None)
    (entry,), _ = entries(merger, [str(number)])
    person = GitHub(hub.api_url, f"{PERSON}-token", pace=0)

    hub.add_commit(REPO, road.branch(number), {"b": "1\n"}, actor=f"{BOT}[bot]")
    row = Desk(merger=merger, hand=person).approve(entry)

    assert (row.result, row.why) == ("left", "its head is another one than was shown")
    assert pull(hub, number).said == []


def test_nothing_to_review_is_an_empty_list(road: Road, cw: Cw) -> None:
    done = mine(road, cw, "--json")

    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_approval_is_in_the_name_of_whoever_types_and_lets_it_be_merged_at_once(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    hub.require(REPO, review=True)
    (number,) = ready(road, {"a": "1\n"})
    sha = head(hub, number)

    early = mine(road, cw, str(number), "--merge")
    done = mine(road, cw, str(number), "--approve", "--head", sha[:12])
    record = road.record(number)
    late = mine(road, cw, str(number), "--merge", "--json")

    assert (early.returncode, early.stderr) == (
        2,
        f"cw: {REPO}#{number} is not merged: it waits for a review\n",
    )
    assert (done.returncode, done.stdout) == (0, f"{REPO}#{number} is approved\n"), done.stderr
    assert pull(hub, number).said == [(PERSON, "APPROVED", sha, "")]
    assert (record.state.value, record.waits) == ("ready", "approved: merge it")
    row = json.loads(late.stdout)
    Draft202012Validator(json.loads(schemas()["review"])).validate(row)
    assert (late.returncode, row["result"], row["how"]) == (0, "done", "squash"), late.stderr
    assert row["commit"] == pull(hub, number).merge_sha
    assert pull(hub, number).merged_by == PERSON
    assert [(one["target"], one["head"]) for one in audited(road, cw)] == [
        (f"{REPO}#{number}", sha),
        (f"{REPO}#{number}", sha),
    ]


def test_audit_shows_it_as_it_could_be_typed(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    (number,) = ready(road, {"a": "1\n"})

    mine(road, cw, str(number), "--changes", "Say why", "--head", head(hub, number))
    said = road.cw(cw, "audit").stdout

    typed = f"typed: cw review {REPO}#{number} --changes --head {head(hub, number)}"
    assert said.rstrip().endswith(typed)


def test_changes_are_asked_for_by_a_review_that_counts_at_once(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    (number,) = ready(road, {"a": "1\n"})

    done = mine(road, cw, str(number), "--changes", "Test it")

    record = road.record(number)
    assert (done.returncode, done.stdout) == (0, f"{REPO}#{number} has a request for changes\n")
    assert pull(hub, number).said == [(PERSON, "CHANGES_REQUESTED", head(hub, number), "Test it")]
    assert (record.state.value, record.waits) == ("needs you", f"{PERSON} asks for changes")


def test_text_for_changes_may_come_from_a_pipe(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    (number,) = ready(road, {"a": "1\n"})

    mine(road, cw, str(number), "--changes", "-", stdin="Test it\n\nTwice\n")

    assert [text for *_, text in pull(hub, number).said] == ["Test it\n\nTwice"]


def test_changes_at_one_s_own_pull_request_are_a_thread_that_counts_until_it_is_resolved(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    """Its author has no say in "Create a review for a pull request": 422."""
    (number,) = ready(road, {"a": "1\n"})

    done = road.cw(cw, "review", str(number), "--changes", "Test it", "--json")

    (thread,) = pull(hub, number).threads
    asked = road.record(number)
    hub.end_thread(REPO, number, thread.id)
    road.follow(timedelta(minutes=6))
    road.follow(timedelta(minutes=6))
    assert json.loads(done.stdout)["how"] == "thread", done.stderr
    assert (thread.comment.author, thread.comment.body) == (BOT, "Test it")
    assert (asked.state.value, asked.waits) == ("needs you", "1 open thread of the review")
    assert road.state(number) == "ready"


def test_nobody_approves_their_own_pull_request(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    (number,) = ready(road, {"a": "1\n"})

    done = road.cw(cw, "review", str(number), "--approve")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"cw: {REPO}#{number} is not approved: GitHub lets nobody approve their own pull request,"
        " and this token's account opened it. Merge it without\n"
    )
    assert pull(hub, number).said == []


def test_closed_one_is_recorded_at_once(road: Road, hub: GitHubStandIn, cw: Cw) -> None:
    (number,) = ready(road, {"a": "1\n"})

    done = mine(road, cw, str(number), "--close")
    again = mine(road, cw, str(number), "--close")

    assert (done.returncode, done.stdout) == (0, f"{REPO}#{number} is closed\n"), done.stderr
    assert road.state(number) == "closed"
    assert (again.returncode, again.stderr) == (
        2,
        f"cw: {REPO}#{number}: it is closed already\n",
    )
    assert merged(hub) == set()


@pytest.mark.parametrize("act", ["--approve", "--merge", "--close", "--changes=Test it"])
def test_nothing_is_done_when_the_head_is_another_one(
    road: Road, hub: GitHubStandIn, cw: Cw, act: str
) -> None:
    (number,) = ready(road, {"a": "1\n"})
    old = head(hub, number)
    hub.add_commit(REPO, road.branch(number), {"b": "1\n"}, actor=f"{BOT}[bot]")
    road.follow(timedelta(minutes=6))
    road.follow(timedelta(minutes=6))
    road.age(number)

    done = mine(road, cw, str(number), act, "--head", old)

    assert done.returncode == 1
    assert done.stderr.endswith(": its head is another one than was shown\n")
    found = pull(hub, number)
    assert (found.said, found.merged_at, road.state(number)) == ([], None, "ready")


def test_what_github_refuses_is_said_and_not_audited(
    road: Road, hub: GitHubStandIn, cw: Cw
) -> None:
    (number,) = ready(road, {"a": "1\n"})

    done = cw("review", str(number), "--close", **road.env(), GH_TOKEN="outsider-token")

    assert done.returncode == 1
    assert done.stderr.startswith(f"cw: {REPO}#{number} is not closed: GitHub refused: ")
    assert audited(road, cw) == []
    assert road.state(number) == "ready"


def test_app_has_no_opinion_and_merges(
    road: Road, hub: GitHubStandIn, cw: Cw, tmp_path: Path
) -> None:
    (number,) = ready(road, {"a": "1\n"})
    hub.add_app(APP, "cw", 70, {REPO: "write"}, public_key=PUBLIC)
    key = tmp_path / "app.pem"
    key.write_text(PRIVATE, "utf-8")
    key.chmod(0o600)
    env = {**road.env(), "CW_GITHUB_APP_ID": str(APP), "CW_GITHUB_APP_KEY_FILE": str(key)}

    said = [
        cw("review", str(number), *act, **env)
        for act in (("--approve",), ("--changes", "Test it"), ("--merge",))
    ]

    why = "nobody goes by what a GitHub App thinks of a pull request"
    assert [done.returncode for done in said] == [1, 1, 0], said
    assert all(why in done.stderr for done in said[:2])
    assert merged(hub) == {number}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ((), "cw review reads keys from a terminal, and there is none. For programs: "),
        (("what?", "--json"), "is no pull request"),
        (("acme/none#7", "--merge"), "no pull request of a task is acme/none#7"),
        (("--approve",), "--approve wants one pull request"),
        (("2", "3", "--close"), "--close wants one pull request"),
        (("2", "--approve", "--merge"), "--approve and --merge were both given"),
        (("2", "--changes", " "), "there is no text"),
        (("2", "--changes", "x" * 65_537), "the text has 65537 characters"),
        (("2", "--head", "0123456"), "--head goes with"),
        (("2", "--merge", "--head", "main"), "'main' is no commit"),
        (("2", "--close", "--method", "merge"), "--method does not go with --close"),
        (("2", "--merge", "--method", "rebase"), "acme/app does not allow --method rebase"),
        (("2", "--merge", "--message", "So"), "--message does not go with --merge"),
    ],
)
def test_what_cannot_be_used_changes_nothing(
    road: Road, hub: GitHubStandIn, cw: Cw, typed: tuple[str, ...], words: str
) -> None:
    assert ready(road, {"a": "1\n"}) == [2]

    done = mine(road, cw, *typed)

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert words in done.stderr
    assert (pull(hub, 2).said, road.state(2), merged(hub)) == ([], "ready", set())
