"""What a dispatch asks of GitHub before it takes an issue."""

from __future__ import annotations

import pytest

from cw.errors import BadInputError
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.repos import github_repo
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
