"""Lists of GitHub are read to their end, and what one token was told is not another's answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cw.github.client import GitHub
from cw.github.comments import comment_once
from cw.github.listing import ListReader, label_events, open_issues
from cw.github.places import repos_of
from cw.store.store import Store
from tests.integration.conftest import REPO
from tests.standins.github import GitHubStandIn

MORE_THAN_A_PAGE = 101


def issues(hub: GitHubStandIn) -> None:
    for number in range(MORE_THAN_A_PAGE):
        hub.add_issue(REPO, f"Issue {number}")


def events(hub: GitHubStandIn) -> None:
    number = hub.add_issue(REPO, "Much labelled")
    for one in range(MORE_THAN_A_PAGE):
        hub.label_issue(REPO, number, f"label-{one}")


def repos(hub: GitHubStandIn) -> None:
    for one in range(MORE_THAN_A_PAGE):
        hub.add_repo(f"acme/r{one:03}")
        hub.add_issue(f"acme/r{one:03}", "Something")


@pytest.mark.parametrize(
    ("fill", "read"),
    [
        (issues, lambda reader: open_issues(reader, REPO)),
        (events, lambda reader: label_events(reader, REPO, 1)),
        (repos, lambda reader: repos_of(reader, "acme")),
    ],
    ids=["issues", "events", "repositories"],
)
def test_list_is_read_to_its_last_page(
    hub: GitHubStandIn,
    store: Store,
    fill: Callable[[GitHubStandIn], None],
    read: Callable[[ListReader], list[object]],
) -> None:
    fill(hub)

    found = read(reader(hub, store, "owner"))

    assert len(found) >= MORE_THAN_A_PAGE


def reader(hub: GitHubStandIn, store: Store, login: str) -> ListReader:
    return ListReader(GitHub(hub.api_url, f"{login}-token", pace=0), store.github)


def test_comment_that_is_on_a_later_page_is_not_posted_again(hub: GitHubStandIn) -> None:
    github = GitHub(hub.api_url, "bot-token", pace=0)
    number = hub.add_issue(REPO, "Much discussed")
    for one in range(MORE_THAN_A_PAGE - 1):
        hub.add_comment(REPO, number, f"Comment {one}", author="owner")

    for _ in range(2):
        comment_once(github, REPO, number, "What happened", ["mark"])

    assert len(hub.issue(REPO, number).comments) == MORE_THAN_A_PAGE


def test_what_one_token_was_told_is_not_kept_as_anothers_answer(
    hub: GitHubStandIn, store: Store
) -> None:
    """Each sees a repository with its own rights; and ETags are per token, so that two that shared
    them would pay for each other's lists for ever.
    """
    hub.add_issue(REPO, "Something")
    owner, bot = reader(hub, store, "owner"), reader(hub, store, "bot")

    for _ in range(2):
        for one in (owner, bot):
            open_issues(one, REPO)

    assert [(one.asked, one.unchanged) for one in (owner, bot)] == [(2, 1), (2, 1)]
