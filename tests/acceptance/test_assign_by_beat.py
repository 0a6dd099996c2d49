"""Nobody types anything: beat finds the issue, a worker fixes it, reconcile tidies up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet, remove, short_folder
from tests.needs import need
from tests.standins.github import GitHubStandIn
from tests.standins.messages import MessagesStandIn
from tests.waiting import wait_until

REPO = "acme/app"


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """One worker; beat assigns every second and reconciles every second."""
    need("git")
    home = short_folder()
    with GitHubStandIn(home / "hub") as hub, MessagesStandIn() as api:
        hub.add_repo(REPO, files={"README.md": "# App\n"})
        hub.add_user("bot", TOKEN, {REPO: "write"})
        settings = {
            "CW_ASSIGN_REPOS": REPO,
            "CW_ASSIGN_EVERY": "1",
            "CW_RECONCILE_EVERY": "1",
            "CW_RECONCILE_GRACE": "0",
        }
        made = Fleet(home, hub, api, REHEARSAL, settings)
        (home / ".gitconfig").write_text("[user]\n\tname = Bot\n\temail = bot@acme.invalid\n")
        try:
            made.ok("init", "01")
            made.up()
            yield made
            assert hub.leaks == []
        finally:
            made.down()
            remove(home)


def test_issue_becomes_a_pull_request_and_is_not_assigned_twice(fleet: Fleet) -> None:
    hub = fleet.github
    number = hub.add_issue(REPO, "Change it", "rehearse: pace 0.01\nrehearse: commit-only\n")
    blocked = hub.add_issue(REPO, "Not yet", labels=["blocked"])

    wait_until(lambda: fleet.json("history"), 60, f"the end\n{fleet.logs()}")
    passes = len(hub.requests.matching("GET", f"^/repos/{REPO}/issues$"))
    wait_until(
        lambda: len(hub.requests.matching("GET", f"^/repos/{REPO}/issues$")) > passes + 6,
        what="more passes",
    )
    rows = fleet.json("history")
    pull = hub.pulls(REPO)[0]
    hub.close_issue(REPO, pull.number)
    wait_until(lambda: "blocked" in hub.issue(REPO, number).labels, what="the label blocked")

    assert [(one["issue"], one["outcome"]["kind"]) for one in rows] == [(number, "succeeded")]
    assert pull.head == f"issue-{number}"
    assert hub.issue(REPO, blocked).labels == ("blocked",)
    assert f"assigned repo={REPO} issue={number} worker=01" in host_log(fleet)
    # A pass tells what it did when it is over, a little after the label is there.
    assert wait_until(lambda: "action=block" in host_log(fleet), what="the log of the pass")


def host_log(fleet: Fleet) -> str:
    return (fleet.home / "state" / "logs" / "host.log").read_text(encoding="utf-8")
