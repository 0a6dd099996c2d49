"""Real PyGithub against the stand-in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from github import Github, GithubException, UnknownObjectException

from tests.standins.github import GitHubStandIn

REPO = "acme/app"
Clients = Callable[[str], Github]


def test_repository_tells_its_default_branch_and_the_callers_permissions(
    hub: GitHubStandIn, client: Clients
) -> None:
    hub.add_issue(REPO, "One")

    repo = client("bot").get_repo(REPO)

    assert (repo.default_branch, repo.archived, repo.open_issues_count) == ("main", False, 1)
    assert (repo.permissions.push, repo.permissions.admin) == (True, False)


def test_issues_come_in_pages_with_everything_inline(hub: GitHubStandIn, client: Clients) -> None:
    for number in range(1, 6):
        hub.add_issue(REPO, f"Issue {number}", "Body", author="outsider", labels=["bug"])
    github = client("bot")
    github.per_page = 2
    repo = github.get_repo(REPO)
    hub.requests.clear()

    issues = list(repo.get_issues(state="open", sort="created", direction="asc"))
    seen = [
        (i.number, i.user.login, i.author_association, [label.name for label in i.labels])
        for i in issues
    ]

    assert seen == [(number, "outsider", "NONE", ["bug"]) for number in range(1, 6)]
    assert len(hub.requests) == 3


def test_issue_filters_hold_together(hub: GitHubStandIn, client: Clients) -> None:
    hub.add_issue(REPO, "Both", labels=["bug", "worker:01"])
    hub.add_issue(REPO, "One", labels=["bug"])
    hub.add_issue(REPO, "Closed", labels=["bug", "worker:01"], state="closed")
    hub.add_commit(REPO, "issue-1", {"a": "1"})
    hub.add_pull(REPO, "issue-1", "A pull request")
    repo = client("bot").get_repo(REPO)

    assert [i.title for i in repo.get_issues(labels=["bug", "worker:01"])] == ["Both"]
    assert [i.number for i in repo.get_issues(state="closed")] == [3]
    assert [i.number for i in repo.get_issues() if "/pull/" in i.html_url] == [4]
    assert [i.number for i in repo.get_issues(assignee="none", direction="asc")] == [1, 2, 4]


def test_adding_an_unknown_label_creates_it_grey(hub: GitHubStandIn, client: Clients) -> None:
    number = hub.add_issue(REPO, "One")

    client("bot").get_repo(REPO).get_issue(number).add_to_labels("worker:01")

    assert hub.issue(REPO, number).labels == ("worker:01",)
    assert hub.labels(REPO)["worker:01"] == "ededed"


def test_two_assigners_both_succeed_and_the_answer_shows_it(
    hub: GitHubStandIn, client: Clients
) -> None:
    path = f"/repos/{REPO}/issues/{hub.add_issue(REPO, 'One')}/labels"
    barrier = Barrier(8)

    def label(worker: int) -> list[str]:
        requester = client("bot").requester
        barrier.wait(timeout=10)
        _, answer = requester.requestJsonAndCheck(
            "POST", path, input={"labels": [f"worker:{worker}"]}
        )
        return [entry["name"] for entry in answer]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(label, range(8)))

    assert sorted(len(names) for names in answers) == list(range(1, 9))


def test_triage_may_use_labels_but_not_create_them(hub: GitHubStandIn, client: Clients) -> None:
    issue = client("helper").get_repo(REPO).get_issue(hub.add_issue(REPO, "One"))

    issue.add_to_labels("bug")
    with pytest.raises(GithubException, match="permission to create labels") as refused:
        issue.add_to_labels("worker:01")

    assert refused.value.status == 403
    assert hub.issue(REPO, issue.number).labels == ("bug",)


def test_removing_an_absent_label_and_creating_a_known_one_fail_as_on_github(
    hub: GitHubStandIn, client: Clients
) -> None:
    repo = client("bot").get_repo(REPO)
    issue = repo.get_issue(hub.add_issue(REPO, "One"))

    with pytest.raises(GithubException, match="Label does not exist") as absent:
        issue.remove_from_labels("bug")
    with pytest.raises(GithubException, match="already_exists") as twice:
        repo.create_label("bug", "ff0000")

    assert (absent.value.status, twice.value.status) == (404, 422)


def test_events_tell_who_set_and_took_a_label(hub: GitHubStandIn, client: Clients) -> None:
    number = hub.add_issue(REPO, "One")
    hub.label_issue(REPO, number, "worker:01", actor="owner")
    issue = client("bot").get_repo(REPO).get_issue(number)
    issue.remove_from_labels("worker:01")
    issue.edit(state="closed", state_reason="not_planned")
    issue.edit(state="open")

    events = [(event.event, event.actor.login) for event in issue.get_events()]

    assert events == [
        ("labeled", "owner"),
        ("unlabeled", "bot"),
        ("closed", "bot"),
        ("reopened", "bot"),
    ]


def test_comments_are_written_listed_and_edited(hub: GitHubStandIn, client: Clients) -> None:
    issue = client("outsider").get_repo(REPO).get_issue(hub.add_issue(REPO, "One"))

    issue.create_comment("first").edit("better")

    assert [comment.body for comment in issue.get_comments()] == ["better"]
    assert [comment.author for comment in hub.issue(REPO, issue.number).comments] == ["outsider"]


def test_private_repository_does_not_exist_for_strangers(
    hub: GitHubStandIn, client: Clients
) -> None:
    hub.add_repo("acme/secret", private=True)

    with pytest.raises(UnknownObjectException):
        client("outsider").get_repo("acme/secret")
    with pytest.raises(GithubException) as unknown:
        client("nobody").get_repo(REPO)

    assert unknown.value.status == 401


def test_permission_of_a_collaborator_keeps_the_four_old_words(
    hub: GitHubStandIn, client: Clients
) -> None:
    repo = client("bot").get_repo(REPO)

    held = {
        name: repo.get_collaborator_permission(name)
        for name in ("owner", "bot", "helper", "outsider")
    }

    assert held == {"owner": "admin", "bot": "write", "helper": "read", "outsider": "read"}


def test_pull_request_needs_commits_a_head_and_no_twin(hub: GitHubStandIn, client: Clients) -> None:
    hub.add_commit(REPO, "issue-1", {"a": "1"})
    repo = client("bot").get_repo(REPO)
    repo.create_pull(title="First", base="main", head="issue-1")

    for head, reason in [("issue-1", "already exists"), ("nope", "invalid"), ("main", "No commit")]:
        with pytest.raises(GithubException, match=reason) as refused:
            repo.create_pull(title="Again", base="main", head=head)
        assert refused.value.status == 422


def test_pull_requests_are_found_by_head_and_told_apart_from_those_of_forks(
    hub: GitHubStandIn, client: Clients
) -> None:
    hub.add_repo("outsider/app", fork_of=REPO)
    hub.add_commit("outsider/app", "issue-1", {"theirs": "1"})
    hub.add_commit(REPO, "issue-1", {"ours": "1"})
    theirs = hub.add_pull(REPO, "outsider:issue-1", "Theirs")
    ours = hub.add_pull(REPO, "issue-1", "Ours")
    repo = client("bot").get_repo(REPO)

    assert [p.number for p in repo.get_pulls(head="acme:issue-1")] == [ours]
    assert [p.head.repo.full_name for p in repo.get_pulls(head="outsider:issue-1")] == [
        "outsider/app"
    ]
    assert [p.number for p in repo.get_pulls(direction="asc", head="issue-1")] == [theirs, ours]


def test_merging_closes_the_issues_it_fixes(hub: GitHubStandIn, client: Clients) -> None:
    fixed, other = hub.add_issue(REPO, "Broken"), hub.add_issue(REPO, "Also")
    head = hub.add_commit(REPO, "issue-1", {"a": "1"})
    repo = client("bot").get_repo(REPO)
    pull = repo.create_pull(title="Fix", body=f"Fixes #{fixed}", base="main", head="issue-1")

    pull.merge()

    assert (hub.issue(REPO, fixed).state, hub.issue(REPO, other).state) == ("closed", "open")
    assert repo.get_pull(pull.number).merged
    assert hub.heads(REPO)["main"] not in {head, pull.base.sha}


def test_conflicting_pull_request_is_not_merged(hub: GitHubStandIn, client: Clients) -> None:
    hub.add_commit(REPO, "issue-1", {"README.md": "theirs\n"})
    hub.add_commit(REPO, "main", {"README.md": "ours\n"})
    number = hub.add_pull(REPO, "issue-1", "Conflict")
    pull = client("bot").get_repo(REPO).get_pull(number)

    with pytest.raises(GithubException, match="not mergeable") as refused:
        pull.merge()

    assert (pull.mergeable, refused.value.status) == (False, 405)


def test_narrow_token_may_do_only_what_it_was_given(hub: GitHubStandIn, client: Clients) -> None:
    hub.add_token("bot", "narrow-token", repos=[REPO], grants={"issues": "write"})
    hub.add_commit(REPO, "issue-1", {"a": "1"})
    number = hub.add_issue(REPO, "One")
    repo = client("narrow").get_repo(REPO)

    repo.get_issue(number).add_to_labels("worker:01")
    with pytest.raises(GithubException, match="not accessible"):
        repo.create_pull(title="No", base="main", head="issue-1")

    assert hub.pulls(REPO) == []


def test_repositories_of_an_owner_are_those_the_caller_sees(
    hub: GitHubStandIn, client: Clients
) -> None:
    hub.add_user("acme", kind="Organization")
    hub.add_repo("acme/secret", private=True)
    hub.add_repo("acme/old", archived=True)

    found = client("bot").get_user("acme").get_repos()

    assert {repo.name: repo.archived for repo in found} == {"app": False, "old": True}
