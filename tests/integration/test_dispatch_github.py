"""What a dispatch asks of GitHub before it takes an issue."""

from __future__ import annotations

import pytest

from cw.errors import BadInputError
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.repos import github_repo
from cw.states import OutcomeKind
from cw.store.store import Store
from tests.integration.assigning import Office
from tests.integration.conftest import REPO
from tests.standins.github import GitHubStandIn


@pytest.fixture
def office(hub: GitHubStandIn, store: Store) -> Office:
    made = Office.open(hub, store, [REPO])
    made.staff("01")
    return made


def test_blocked_issue_is_refused_and_nothing_is_left_behind(
    office: Office, hub: GitHubStandIn
) -> None:
    number = hub.add_issue(REPO, "Stuck", labels=["blocked"])
    ways = office.ways()
    request = Request(
        repo=github_repo(REPO, office.settings.github_url),
        issue=number,
        worker="01",
        prompt="",
        model="sonnet",
    )

    with pytest.raises(BadInputError, match=f"{REPO}#{number} is labelled blocked"):
        dispatch(request, ways.store, ways.github, ways.hint)

    assert (office.tasks(), office.hinted) == ({}, [])
    assert office.marks(REPO, number) == ["blocked"]


def test_label_of_the_last_task_that_comes_late_keeps_nobody_out(
    office: Office, hub: GitHubStandIn
) -> None:
    """After the issue was read, and before it gets its new label."""
    number = hub.add_issue(REPO, "Again")
    office.assign(assign_reserve=0)
    task = office.tasks()[number]
    office.finish(task, OutcomeKind.FAILED)
    office.staff("02")
    ways = office.ways()
    read = {
        "number": number,
        "title": "Again",
        "html_url": f"http://github.localhost/{REPO}/issues/{number}",
        "state": "open",
        "labels": [],
        "created_at": "2026-01-01T00:00:00Z",
    }
    hub.fault(method="GET", path_regex=f"/issues/{number}$", status=200, body=read, times=1)
    request = Request(
        repo=github_repo(REPO, office.settings.github_url),
        issue=number,
        worker="02",
        prompt="",
        model="sonnet",
    )

    dispatch(request, ways.store, ways.github, ways.hint)

    assert office.marks(REPO, number) == ["worker:02"]
