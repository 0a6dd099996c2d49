"""The stand-in merges as GitHub's documentation says: methods, protected branches, what goes."""

import subprocess
from collections.abc import Callable

import pytest
from github import Github, GithubException
from github.PullRequest import PullRequest

from tests.standins.github import GitHubStandIn

REPO = "acme/app"
Clients = Callable[[str], Github]


@pytest.fixture
def pull(hub: GitHubStandIn, client: Clients) -> PullRequest:
    """Of somebody who may write and is no admin: two commits, and one on its base."""
    hub.add_commit(REPO, "issue-1", {"a": "1\n"}, "First")
    hub.add_commit(REPO, "issue-1", {"a": "2\n", "b": "2\n"}, "Second")
    number = hub.add_pull(REPO, "issue-1", "Fix", author="bot")
    hub.add_commit(REPO, "main", {"c": "3\n"}, "Meanwhile")
    return client("bot").get_repo(REPO).get_pull(number)


def refused(pull: PullRequest) -> str:
    with pytest.raises(GithubException) as caught:
        pull.merge(merge_method="squash")
    assert caught.value.status == 405
    return str(caught.value.data["message"])


def subjects(hub: GitHubStandIn) -> list[str]:
    path = hub.state.repo(REPO).path
    command = ["git", "-C", str(path), "log", "--format=%s|%cn|%P", "main"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = (line.split("|") for line in done.stdout.splitlines())
    assert all(len(parents.split()) <= 1 for _, _, parents in lines)
    return [line.split("|")[0] for line in done.stdout.splitlines()]


def test_rebase_makes_each_commit_anew_on_the_base(hub: GitHubStandIn, pull: PullRequest) -> None:
    hub.allow_merges(REPO, "rebase")

    done = pull.merge(merge_method="rebase")

    assert subjects(hub) == ["Second", "First", "Meanwhile", "Initial commit"]
    assert hub.heads(REPO)["main"] == done.sha != pull.head.sha
    assert hub.pulls(REPO)[0].merged


def test_rebase_that_conflicts_is_refused(hub: GitHubStandIn, pull: PullRequest) -> None:
    hub.allow_merges(REPO, "rebase")
    hub.add_commit(REPO, "main", {"a": "other\n"})
    before = hub.heads(REPO)

    with pytest.raises(GithubException, match="not mergeable"):
        pull.merge(merge_method="rebase")

    assert hub.heads(REPO) == before


def test_required_checks_have_to_be_there_ended_and_fine(
    hub: GitHubStandIn, pull: PullRequest
) -> None:
    hub.require(REPO, "CI / test", "CI / lint")
    said = [refused(pull)]
    hub.check(REPO, "issue-1", "lint", "skipped")
    said.append(refused(pull))
    hub.check(REPO, "issue-1", "test")
    said.append(refused(pull))
    hub.check(REPO, "issue-1", "test", "failure")
    said.append(refused(pull))
    hub.check(REPO, "issue-1", "test", "success")

    assert pull.merge(merge_method="squash").merged
    assert said == [
        "2 of 2 required status checks are expected.",
        'Required status check "CI / test" is expected.',
        'Required status check "CI / test" is in progress.',
        'Required status check "CI / test" is failing.',
    ]


def test_required_review_is_of_somebody_who_may_write_and_nobody_wants_changes(
    hub: GitHubStandIn, pull: PullRequest
) -> None:
    hub.require(REPO, review=True)
    hub.set_permission(REPO, "ann", "write")
    hub.review(REPO, pull.number, "outsider", "APPROVED")
    said = {refused(pull)}
    hub.review(REPO, pull.number, "owner", "APPROVED")
    hub.review(REPO, pull.number, "ann", "CHANGES_REQUESTED")
    said.add(refused(pull))
    hub.review(REPO, pull.number, "ann", "DISMISSED")

    assert pull.merge(merge_method="squash").merged
    assert said == {"At least 1 approving review is required by reviewers with write access."}


def test_admins_are_not_held_by_a_protected_branch(
    hub: GitHubStandIn, client: Clients, pull: PullRequest
) -> None:
    hub.require(REPO, "CI / test", review=True)

    assert client("owner").get_repo(REPO).get_pull(pull.number).merge().merged


def test_merged_branch_is_deleted_and_what_went_into_it_goes_where_it_went(
    hub: GitHubStandIn, pull: PullRequest
) -> None:
    hub.add_commit(REPO, "issue-1", {"a": "3\n"}, "Third")
    hub.add_commit(REPO, "issue-2", {"d": "4\n"})
    stacked = hub.add_pull(REPO, "issue-2", "More", base="issue-1", author="bot")
    hub.delete_merged_branches(REPO)

    pull.merge(merge_method="merge")

    bases = {one.number: (one.base, one.state) for one in hub.pulls(REPO)}
    assert "issue-1" not in hub.heads(REPO)
    assert bases[stacked] == ("main", "open")
