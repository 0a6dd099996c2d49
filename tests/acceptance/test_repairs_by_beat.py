"""From a red, disputed and conflicting pull request to one that can be merged, by beat alone; and
whatever is killed meanwhile, no try is forgotten and nothing is said twice.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import pytest

from tests.acceptance.beating import REPO, beating
from tests.acceptance.conftest import running_claude
from tests.acceptance.fleet import Fleet
from tests.acceptance.test_pulls_by_beat import json_rows, pid_of
from tests.standins.github import GitHubStandIn, gitrepo
from tests.standins.github.ci import Job, Pushed
from tests.standins.github.model import ReviewThread
from tests.standins.messages import Request, Turn, bash, text
from tests.waiting import wait_until

QUICK = {
    "CW_ASSIGN_EVERY": "3600",
    "CW_PULLS_EVERY": "1",
    "CW_PULLS_QUIET": "0",
    "CW_RECONCILE_EVERY": "0",
    # Soon again: a repair that was about to start as the broker was killed is put off.
    "CW_DEFER_SECONDS": "1",
    "CW_MAX_DEFERRALS": "60",
}
COMMIT = "git add -A && git commit -q -m"
PERSON = "acme"
MENDS = "Mend pull request #"


@pytest.fixture
def claude_fleet() -> Iterator[Fleet]:
    with running_claude(QUICK) as fleet:
        yield fleet


@pytest.fixture
def rehearsing() -> Iterator[Fleet]:
    with beating(QUICK) as fleet:
        yield fleet


def good_when_there(*names: str) -> Any:
    """A job that is green once these files are there, and on the default branch."""

    def jobs(pushed: Pushed) -> Iterable[Job]:
        there = pushed.branch == "main" or all(pushed.file(name) for name in names)
        log = "" if there else "E  AssertionError: 1 != 2\n"
        yield Job(name="test", conclusion="success" if there else "failure", log=log)

    return jobs


def script_repairs(fleet: Fleet, pull: int, work: list[Turn], *each: tuple[Turn, Turn]) -> None:
    """What the model does in its first, second and next repair, in one conversation."""
    asked = f"Mend pull request #{pull} of"
    for at, (does, says) in zip(count(1), each):

        def is_nth(request: Request, at: int = at) -> bool:
            return request.text.count(asked) == at

        fleet.api.script(*work, *(one for one, _ in each[: at - 1]), does, says, match=is_nth)


def repairs(fleet: Fleet) -> list[dict[str, Any]]:
    """Those that have ended, the oldest first."""
    rows = [row for row in fleet.json("history") if row["title"].startswith("repair of")]
    return rows[::-1]


def test_conflict_red_check_and_review_end_ready_in_the_session_that_made_it(
    claude_fleet: Fleet,
) -> None:
    fleet, hub = claude_fleet, claude_fleet.github
    hub.ci = good_when_there("good.txt")
    issue = hub.add_issue(REPO, "Say hello", "It says nothing.")
    opens = f"git push -q origin HEAD && gh pr create --title 'Be polite' --body 'Fixes #{issue}'"
    work = [
        bash(f"echo ours > hello.txt; echo why > why.txt; {COMMIT} 'Say hello'"),
        bash(f"{opens} --base main"),
    ]
    fleet.api.script(*work, text("It says hello."), match=f"issue-{issue}")
    task = fleet.json("dispatch", "-i", f"{REPO}#{issue}")["task"]
    number = pull_of(fleet, issue)["number"]
    script_repairs(
        fleet,
        number,
        work,
        (
            bash(f"git merge -q origin/main; echo both > hello.txt; {COMMIT} 'Merge main'"),
            text("Merged main."),
        ),
        (bash(f"echo good > good.txt && {COMMIT} 'Count to two'"), text("It counts to two.")),
        (
            bash(f"echo because > why.txt && {COMMIT} 'Say why'"),
            text("Done.\n\n[1] fixed: it says why"),
        ),
    )
    hub.add_commit(REPO, "main", {"hello.txt": "theirs\n"})
    hub.start_thread(REPO, number, "Say why.", author=PERSON, path="why.txt", line=1)
    hub.review(REPO, number, PERSON, "CHANGES_REQUESTED", "See below.")

    waits = row_when(fleet, lambda row: row["cause"] == "answered", 240)
    hub.review(REPO, number, PERSON, "APPROVED")
    ready = row_when(fleet, lambda row: row["state"] == "ready", 60)

    ended = repairs(fleet)
    causes = [row["title"].partition(": ")[2].partition(" ·")[0] for row in ended]
    assert causes == ["a conflict", "red checks", "a review"], fleet.cw("prs").stdout
    sessions = {request.session for request in fleet.api.requests if request.rounds}
    assert len(sessions) == 1
    assert waits["waits"] == f"{PERSON} asked for changes, and has to look again"
    assert (ready["checks"], ready["conflicts"], ready["rounds"]) == ("1 green", "no", 3)
    rows = fleet.json("history")
    assert task in {row["task"] for row in rows}
    assert ready["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in rows))
    (thread,) = threads(hub, number)
    wait_until(lambda: thread.resolved, 60, fleet.logs)
    assert [reply.author for reply in thread.replies] == ["bot"]
    assert thread.replies[0].body.startswith("Fixed (`")
    path = hub.state.repo(REPO).path
    assert gitrepo.read_file(path, f"issue-{issue}", "hello.txt") == "both\n"


def test_liar_is_out_after_three_pushes_whatever_is_killed_meanwhile(rehearsing: Fleet) -> None:
    fleet, hub = rehearsing, rehearsing.github
    hub.ci = good_when_there("never.txt")
    issue = hub.add_issue(REPO, "First", "rehearse: slow 2\nrehearse: commit-only\n")
    fleet.ok("dispatch", "-i", f"{REPO}#{issue}")
    number = pull_of(fleet, issue)["number"]
    for rounds, name in enumerate(("host", "beat", "broker"), 1):
        row_when(
            fleet, lambda row, at=rounds: (row["state"], row["rounds"]) == ("repairing", at), 120
        )
        os.kill(pid_of(fleet, name), signal.SIGKILL)
    end = row_when(fleet, lambda row: row["state"] == "needs you", 240)
    looks = len(hub.requests.matching("POST", "/graphql$"))
    wait_until(lambda: len(hub.requests.matching("POST", "/graphql$")) > looks + 6, 60, fleet.logs)

    assert end["waits"] == "red: CI / test; mended 3 times in vain"
    assert (len(repairs(fleet)), end["rounds"]) == (3, 3)
    wait_until(lambda: comments(hub, number), 60, fleet.logs)
    (only,) = comments(hub, number)
    assert only.startswith("This is not mended any further: mended 3 times in vain.")
    wait_until(lambda: "blocked" in hub.issue(REPO, issue).labels, 60, fleet.logs)


def threads(hub: GitHubStandIn, number: int) -> list[ReviewThread]:
    pull = hub.state.issue(hub.state.repo(REPO), number).pull
    assert pull
    return pull.threads


def comments(hub: GitHubStandIn, number: int) -> list[str]:
    return [comment.body for comment in hub.issue(REPO, number).comments]


def test_five_pull_requests_on_one_file_cost_at_most_five_repairs(claude_fleet: Fleet) -> None:
    """Merged one after the other by a person who tries until it can be."""
    fleet, hub = claude_fleet, claude_fleet.github
    hub.ci = good_when_there()
    issues = [hub.add_issue(REPO, f"Say {at}", "It says nothing.") for at in range(5)]
    for issue in issues:
        work = [bash(f"echo {issue} > shared.txt && {COMMIT} 'Say {issue}'")]
        fleet.api.script(*work, text(f"It says {issue}."), match=says(f"issue-{issue}", mends=0))
        merges = bash(f"git merge -q origin/main; echo {issue} > shared.txt; {COMMIT} 'Merge main'")
        fleet.api.script(*work, merges, text("Merged."), match=says(f"issue-{issue}", mends=1))
    fleet.ok("dispatch", "-r", REPO, *(part for issue in issues for part in ("-i", str(issue))))
    wait_until(lambda: len(hub.pulls(REPO)) == 5, 120, fleet.logs)

    for pull in sorted(hub.pulls(REPO), key=lambda one: one.number):
        wait_until(merges_now(fleet, pull.number), 180, fleet.logs)

    rows = repairs(fleet)
    assert 4 <= len(rows) <= 5, rows
    assert set(ends(rows)) == {("succeeded", "done")}
    assert all(len(pull_titles(rows, issue)) <= 1 for issue in issues)


@pytest.mark.parametrize("gesture", ["merge", "close", "stop", "push"])
def test_running_repair_ends_with_what_a_person_does(rehearsing: Fleet, gesture: str) -> None:
    fleet, hub = rehearsing, rehearsing.github
    hub.ci = good_when_there("never.txt")
    go = fleet.worker("01") / "tmp" / "go"
    go.parent.mkdir(exist_ok=True)
    go.touch()
    issue = hub.add_issue(REPO, "First", "rehearse: until ~/tmp/go\nrehearse: commit-only\n")
    fleet.ok("dispatch", "-i", f"{REPO}#{issue}")
    number = pull_of(fleet, issue)["number"]
    go.unlink()
    row_when(fleet, lambda row: row["waits"].startswith("worker 01 mends it"), 60)
    head = hub.pulls(REPO)[0].head_sha
    gestures: dict[str, Callable[[], object]] = {
        "merge": lambda: hub.merge_pull(REPO, number),
        "close": lambda: hub.close_issue(REPO, number),
        "stop": lambda: hub.add_comment(REPO, number, "Stop.", author=PERSON),
        "push": lambda: hub.add_commit(REPO, f"issue-{issue}", {"a.txt": "b\n"}, actor=PERSON),
    }
    gestures[gesture]()

    ended = wait_until(lambda: repairs(fleet), 60, fleet.logs)
    theirs = hub.state.issue(hub.state.repo(REPO), number).pull
    assert ends(ended) == [("stopped", "repair_over")]
    assert theirs
    assert (theirs.head_sha == head) is (gesture != "push")
    assert comments(hub, number) == (["Stop."] if gesture == "stop" else [])
    assert fleet.json("status")["workers"][0]["state"] == "idle"


def says(words: str, *, mends: int) -> Callable[[Request], bool]:
    return lambda request: words in request.text and request.text.count(MENDS) == mends


def merges_now(fleet: Fleet, number: int) -> Callable[[], bool]:
    return lambda: fleet.cw("merge", f"{REPO}#{number}", "--yes").returncode == 0


def ends(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["outcome"]["kind"], row["outcome"]["reason"]) for row in rows]


def pull_titles(rows: list[dict[str, Any]], issue: int) -> list[str]:
    return [row["title"] for row in rows if row["issue"] == issue]


def pull_of(fleet: Fleet, issue: int) -> dict[str, Any]:
    return row_when(fleet, lambda row: row["issue"] == issue, 90)


def row_when(fleet: Fleet, fits: Any, seconds: float) -> dict[str, Any]:
    """The first row of `cw prs` that fits."""

    def row() -> dict[str, Any]:
        done = fleet.cw("prs", "--json")
        rows = json_rows(done.stdout) if done.returncode == 0 else []
        return next(filter(fits, rows), {})

    return wait_until(row, seconds, lambda: f"{fleet.cw('prs').stdout}\n{fleet.logs()}")
