"""Faults, limits, stale search and unchanged answers, as ordered."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from github import Github, GithubException, RateLimitExceededException

from tests.standins.github import GitHubStandIn

REPO = "acme/app"
Clients = Callable[[str], Github]


def test_fault_strikes_as_often_as_ordered(hub: GitHubStandIn, client: Clients) -> None:
    github = client("bot")
    fault = hub.fault(method="GET", path_regex="^/repos/acme/app$", status=503, times=2)

    for _ in range(2):
        with pytest.raises(GithubException) as struck:
            github.get_repo(REPO)
        assert struck.value.status == 503

    assert github.get_repo(REPO).full_name == REPO
    assert fault.hits == 2


@pytest.mark.parametrize("drop", [False, True])
def test_fault_after_the_effect_leaves_the_effect(
    hub: GitHubStandIn, client: Clients, drop: bool
) -> None:
    issue = client("bot").get_repo(REPO).get_issue(hub.add_issue(REPO, "One"))
    hub.fault(method="POST", path_regex="/comments$", status=502, after_effect=True, drop=drop)

    with pytest.raises((GithubException, requests.ConnectionError)):
        issue.create_comment("once")

    assert [comment.body for comment in hub.issue(REPO, issue.number).comments] == ["once"]
    assert hub.requests.matching("POST")[-1].status == (0 if drop else 502)


def test_fault_before_the_effect_prevents_it(hub: GitHubStandIn, client: Clients) -> None:
    issue = client("bot").get_repo(REPO).get_issue(hub.add_issue(REPO, "One"))
    hub.fault(method="POST", drop=True)

    with pytest.raises(requests.ConnectionError):
        issue.create_comment("never")

    assert hub.issue(REPO, issue.number).comments == ()


def test_delay_outlasts_an_impatient_client(hub: GitHubStandIn) -> None:
    hub.fault(path_regex="^/user$", status=0, delay=60)

    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{hub.api_url}/user", timeout=0.1)


def test_nothing_left_of_the_rate_limit_is_refused_with_the_time_of_reset(
    hub: GitHubStandIn, client: Clients
) -> None:
    github = client("bot")
    hub.set_rate_limit("bot", remaining=1)
    github.get_repo(REPO)

    with pytest.raises(RateLimitExceededException) as refused:
        github.get_repo(REPO)

    assert (refused.value.headers or {})["x-ratelimit-remaining"] == "0"
    assert github.get_rate_limit().resources.core.remaining == 0
    assert client("owner").get_repo(REPO).full_name == REPO


def test_secondary_limit_says_how_long_to_wait(hub: GitHubStandIn, client: Clients) -> None:
    repo = client("bot").get_repo(REPO)
    hub.secondary_limit(retry_after=7, method="POST")

    with pytest.raises(RateLimitExceededException, match="secondary rate limit") as refused:
        repo.create_label("worker:01", "ff0000")

    assert (refused.value.headers or {})["retry-after"] == "7"
    assert "worker:01" not in hub.labels(REPO)


def test_too_much_content_in_a_minute_meets_the_secondary_limit(
    hub: GitHubStandIn, client: Clients
) -> None:
    repo = client("bot").get_repo(REPO)
    hub.limits.content_per_minute = 1
    repo.create_label("worker:01", "ff0000")

    with pytest.raises(RateLimitExceededException):
        repo.create_label("worker:02", "ff0000")

    assert "worker:02" not in hub.labels(REPO)


def test_unchanged_list_costs_nothing(hub: GitHubStandIn, client: Clients) -> None:
    hub.add_issue(REPO, "One")
    path, ask = f"/repos/{REPO}/issues", client("bot").requester.requestJson
    _, first, _ = ask("GET", path)
    tag = {"If-None-Match": first["etag"]}

    unchanged, second, _ = ask("GET", path, headers=tag)
    hub.add_issue(REPO, "Two")
    changed, third, _ = ask("GET", path, headers=tag)

    assert (unchanged, changed) == (304, 200)
    remaining = [headers["x-ratelimit-remaining"] for headers in (first, second, third)]
    assert remaining == ["4999", "4999", "4998"]


def test_search_sees_the_past_and_lists_see_the_present(
    hub: GitHubStandIn, client: Clients
) -> None:
    number = hub.add_issue(REPO, "Broken")
    github, query = client("bot"), f"repo:{REPO} is:open -label:worker:01"
    repo = github.get_repo(REPO)

    hub.search_lag = timedelta(hours=1)
    unseen = list(github.search_issues(query))
    hub.search_lag = timedelta(0)
    seen = [issue.number for issue in github.search_issues(query)]
    repo.get_issue(number).add_to_labels("worker:01")

    assert (unseen, seen) == ([], [number])
    assert list(github.search_issues(query)) == []


def test_search_refuses_long_queries(hub: GitHubStandIn, client: Clients) -> None:
    query = f"repo:{REPO} " + " ".join(f"-label:worker:{number:02}" for number in range(1, 51))

    with pytest.raises(GithubException) as refused:
        list(client("bot").search_issues(query))

    assert refused.value.status == 422


def test_requests_are_logged_with_caller_and_status(hub: GitHubStandIn, client: Clients) -> None:
    client("bot").get_repo(REPO)
    with pytest.raises(GithubException):
        client("nobody").get_repo(REPO)

    logged = [(r.method, r.path, r.login, r.status) for r in hub.requests]

    assert logged == [
        ("GET", f"/repos/{REPO}", "bot", 200),
        ("GET", f"/repos/{REPO}", "", 401),
    ]
    assert hub.requests.wait_for(lambda log: len(log) == 2, timeout=1)
