"""Nobody types anything: beat finds the issue, a worker fixes it, reconcile tidies up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.beating import REPO, beating
from tests.acceptance.fleet import Fleet
from tests.waiting import wait_until


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """One worker; beat assigns every second and reconciles every second."""
    settings = {"CW_ASSIGN_EVERY": "1", "CW_RECONCILE_EVERY": "1", "CW_RECONCILE_GRACE": "0"}
    with beating(settings) as fleet:
        yield fleet


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
