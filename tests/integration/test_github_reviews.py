"""Reviews, diffs and closing of pull requests: the client against the stand-in over HTTP, behaving
as GitHub's pages on "Pull request reviews", "Pull requests" and "Review comments" say.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cw.errors import BadTokenError, GitHubRefusedError, GitHubUnavailableError, GoneError
from cw.forges.client import Client
from cw.forges.reviewing import Opinion, OwnPullError
from cw.github.client import GitHub
from tests.integration.assigning import BOT
from tests.integration.following import Road
from tests.integration.test_follow_pulls import PERSON, REPO, hands, hub, road
from tests.standins.github import GitHubStandIn
from tests.standins.memory_forge.client import MemoryClient
from tests.standins.memory_forge.shelf import Shelf

__all__ = ["hands", "hub", "road"]  # fixtures


@pytest.fixture
def person(hub: GitHubStandIn) -> GitHub:
    return GitHub(hub.api_url, f"{PERSON}-token", pace=0)


def said(hub: GitHubStandIn, number: int) -> list[tuple[str, str, str, str]]:
    pull = hub.state.issue(hub.state.repo(REPO), number).pull
    assert pull
    return pull.said


def head(road: Road, number: int) -> str:
    return next(pull.head_sha for pull in road.hub.pulls(REPO) if pull.number == number)


def test_review_is_of_the_head_that_was_read(road: Road, person: GitHub) -> None:
    number = road.pull()
    sha = head(road, number)

    person.review(REPO, number, head=sha, opinion=Opinion.CHANGES, body="Test it")
    person.review(REPO, number, head=sha, opinion=Opinion.APPROVE, body="")

    assert said(road.hub, number) == [
        (PERSON, "CHANGES_REQUESTED", sha, "Test it"),
        (PERSON, "APPROVED", sha, ""),
    ]


@pytest.mark.parametrize("opinion", Opinion)
def test_nobody_reviews_their_own_pull_request(road: Road, opinion: Opinion) -> None:
    """422 of "Create a review for a pull request"."""
    number = road.pull()
    bot = road.office.ways().github

    with pytest.raises(OwnPullError, match="your own pull request"):
        bot.review(REPO, number, head=head(road, number), opinion=opinion, body="So")

    assert said(road.hub, number) == []


def test_whoever_opened_it_starts_a_thread_about_its_first_file(road: Road) -> None:
    number = road.pull(files={"b": "1\n", "a": "1\n"})
    bot = road.office.ways().github

    bot.start_thread(REPO, number, head=head(road, number), body="Test it")

    pull = road.hub.state.issue(road.hub.state.repo(REPO), number).pull
    assert pull
    assert [(one.comment.author, one.comment.body) for one in pull.threads] == [(BOT, "Test it")]


def test_diff_is_read_up_to_a_bound(road: Road, person: GitHub) -> None:
    number = road.pull(files={"a": "käse\n"})

    whole = person.diff(REPO, number)
    exact = person.diff(REPO, number, len(whole.text))
    begin = person.diff(REPO, number, len(whole.text) - 3)

    assert whole.text.startswith("diff --git a/a b/a\n")
    assert whole.text.endswith("+käse\n")
    assert not whole.cut
    assert exact == whole
    assert begin == replace(whole, text=whole.text[:-3], cut=True)


def test_diff_that_is_too_large_for_github_is_none(road: Road, person: GitHub) -> None:
    """406 of "Get a pull request" with the media type diff."""
    number = road.pull(files={"a": "1\n" * 20_001})

    found = person.diff(REPO, number)

    assert (found.text, found.cut) == ("", True)


def test_diff_of_a_repository_that_moved_is_followed(road: Road, person: GitHub) -> None:
    number = road.pull()
    road.hub.rename_repo(REPO, "acme/new")

    assert person.diff(REPO, number).text


def test_what_is_wrong_with_a_diff_is_said(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()

    with pytest.raises(GoneError):
        GitHub(hub.api_url, f"{PERSON}-token", pace=0).diff(REPO, 99)
    with pytest.raises(BadTokenError):
        GitHub(hub.api_url, "none", pace=0).diff(REPO, number)
    hub.fault(method="GET", path_regex=rf"/pulls/{number}$", status=503, times=None)
    with pytest.raises(GitHubUnavailableError):
        GitHub(hub.api_url, f"{PERSON}-token", pace=0).diff(REPO, number)


def test_pull_request_is_closed_once(road: Road, hub: GitHubStandIn, person: GitHub) -> None:
    number = road.pull()

    person.close(REPO, number)
    person.close(REPO, number)

    assert [(one.state, one.merged) for one in hub.pulls(REPO)] == [("closed", False)]


def test_those_who_may_only_read_close_nothing(road: Road, hub: GitHubStandIn) -> None:
    number = road.pull()

    with pytest.raises(GitHubRefusedError):
        GitHub(hub.api_url, "outsider-token", pace=0).close(REPO, number)

    assert [one.state for one in hub.pulls(REPO)] == ["open"]


def test_forge_without_pull_requests_says_so() -> None:
    memory: Client = MemoryClient(Shelf())

    with pytest.raises(GoneError):
        memory.diff(REPO, 1)
    with pytest.raises(GoneError):
        memory.review(REPO, 1, head="", opinion=Opinion.APPROVE, body="")
    with pytest.raises(GoneError):
        memory.start_thread(REPO, 1, head="", body="")
    with pytest.raises(GoneError):
        memory.close(REPO, 1)
