"""Watched pull requests are asked about together: how many requests, of which repositories."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cw.errors import GitHubLimitError, GitHubUnavailableError
from cw.forges.watched import CheckState, Mergeable, PullName
from cw.github.app import AppTokens
from cw.github.client import GitHub
from tests.kept import Memory
from tests.standins.github import GitHubStandIn
from tests.standins.github.app_key import app_key

REPO, OTHER = "acme/app", "acme/lib"


@pytest.fixture
def github(hub: GitHubStandIn) -> GitHub:
    hub.add_repo(OTHER)
    hub.set_permission(OTHER, "bot", "write")
    return GitHub(hub.api_url, "bot-token", pace=0)


def pull(hub: GitHubStandIn, repo: str, at: int) -> PullName:
    hub.add_commit(repo, f"issue-{at}", {f"{at}.txt": "one\ntwo\n"})
    return PullName(repo, hub.add_pull(repo, f"issue-{at}", f"Fix {at}", author="bot"))


def test_many_of_several_repositories_are_one_request(hub: GitHubStandIn, github: GitHub) -> None:
    names = [pull(hub, repo, at) for at in range(5) for repo in (REPO, OTHER)]
    watch = github.watch(Memory())

    found = watch.glances(names)

    assert found.keys() == set(names)
    assert {glance.repo_id for glance in found.values()} == {
        hub.state.repo(repo).id for repo in (REPO, OTHER)
    }
    assert watch.asked == len(hub.requests) == 1


def test_more_than_a_query_holds_are_asked_in_parts(hub: GitHubStandIn, github: GitHub) -> None:
    names = [pull(hub, REPO, at) for at in range(21)]
    watch = github.watch(Memory())

    assert watch.looks(names).keys() == set(names)
    assert watch.asked == 2


def test_what_is_not_there_is_not_in_the_answer(hub: GitHubStandIn, github: GitHub) -> None:
    there = pull(hub, REPO, 1)
    hub.add_repo("acme/secret", private=True)
    gone = [PullName(REPO, 99), PullName("acme/none", 1), PullName("acme/secret", 1)]

    assert github.watch(Memory()).glances([there, *gone]).keys() == {there}
    assert github.watch(Memory()).looks([there, *gone]).keys() == {there}


def test_mark_changes_with_all_that_moves_but_not_with_the_base(
    hub: GitHubStandIn, github: GitHub
) -> None:
    name = pull(hub, REPO, 1)
    marks = [github.watch(Memory()).glances([name])[name].mark]

    hub.add_commit(REPO, "main", {"1.txt": "other\n"})
    after_base = github.watch(Memory()).glances([name])[name]
    hub.check(REPO, "issue-1", "test")
    marks.append(github.watch(Memory()).glances([name])[name].mark)
    hub.check(REPO, "issue-1", "test", "failure")
    marks.append(github.watch(Memory()).glances([name])[name].mark)
    hub.add_commit(REPO, "issue-1", {"2.txt": "two\n"})
    marks.append(github.watch(Memory()).glances([name])[name].mark)

    assert after_base.mark == marks[0]
    assert after_base.mergeable is Mergeable.NO
    assert len(set(marks)) == 4


def test_look_has_all_of_it(hub: GitHubStandIn, github: GitHub) -> None:
    hub.require(REPO, "CI / test")
    name = pull(hub, REPO, 1)
    hub.check(REPO, "issue-1", "test", "timed_out")
    hub.check(REPO, "main", "test", "failure")
    hub.set_status(REPO, "issue-1", "legacy", "success")
    hub.label_issue(REPO, name.number, "bug")
    hub.add_comment(REPO, name.number, "stop", author="owner")
    hub.start_thread(REPO, name.number, "Wrong", author="owner")

    look = github.watch(Memory()).looks([name])[name]

    assert (look.author, look.base, look.branch) == ("bot", "main", "issue-1")
    assert (look.added, look.removed, look.files) == (2, 0, 1)
    assert look.labels == ("bug",)
    assert [(check.name, check.state, check.required) for check in look.checks] == [
        ("CI / test", CheckState.RED, True),
        ("legacy", CheckState.GREEN, False),
    ]
    assert look.red_on_base == {"CI / test"}
    assert [said.body for said in look.comments] == ["stop"]
    assert [(one.first.author, one.last.body) for one in look.threads] == [("owner", "Wrong")]
    assert look.comment_count == 1


def test_limit_is_told(hub: GitHubStandIn, github: GitHub) -> None:
    name = pull(hub, REPO, 1)
    hub.fault(path_regex="/graphql", status=200, body={"errors": [{"type": "RATE_LIMITED"}]})

    with pytest.raises(GitHubLimitError):
        github.watch(Memory()).glances([name])


@pytest.mark.parametrize("answer", [{"data": {"r0": []}}, {"data": {}}, {"data": None}, {}])
def test_odd_answer_is_told(hub: GitHubStandIn, github: GitHub, answer: dict[str, object]) -> None:
    name = pull(hub, REPO, 1)
    hub.fault(path_regex="/graphql", status=200, body=answer, times=None)

    with pytest.raises(GitHubUnavailableError):
        github.watch(Memory()).looks([name])


def test_one_odd_row_costs_only_itself(hub: GitHubStandIn, github: GitHub) -> None:
    names = [pull(hub, REPO, at) for at in (1, 2)]
    row = {
        **dict.fromkeys(("updatedAt", "headRefOid", "reviewDecision", "headRef", "mergeable")),
        "state": "OPEN",
        "merged": False,
        "isDraft": False,
        "baseRefName": "main",
    }
    pulls = {f"p{names[0].number}": {"state": 7}, f"p{names[1].number}": row}
    answer = {"data": {"r0": {"databaseId": 1, "nameWithOwner": REPO, **pulls}}}
    hub.fault(path_regex="/graphql", status=200, body=answer)
    watch = github.watch(Memory())

    assert watch.glances(names).keys() == {names[1]}
    assert watch.odd.keys() == {names[0]}


def test_apps_tokens_are_for_one_repository_each(hub: GitHubStandIn) -> None:
    private, public = app_key()
    hub.add_repo(OTHER, private=True)
    hub.add_app(7, "cw", 70, {REPO: "write", OTHER: "write"}, public_key=public)
    app = AppTokens("7", private, hub.api_url, lambda: datetime.now(UTC))
    names = [pull(hub, REPO, 1), pull(hub, OTHER, 2)]
    watch = GitHub(hub.api_url, app, pace=0).watch(Memory())

    assert watch.glances(names).keys() == set(names)
    assert watch.asked == 2
