"""Real gh, old and new, against the stand-in."""

import json
import re
from collections.abc import Callable

import pytest
from github import Github

from tests.standins.github import Annotation, GitHubStandIn, Job
from tests.standins.github.person import CommandError, Person

REPO = "acme/app"


@pytest.fixture
def bot(person: Callable[[str], Person], gh: str, hub: GitHubStandIn) -> Person:
    bot = person("bot")
    bot.gh_path = gh
    bot.more_env = {"GH_REPO": f"github.localhost/{REPO}"}
    return bot


def test_issue_becomes_a_pull_request_everyone_can_find(
    hub: GitHubStandIn, bot: Person, client: Callable[[str], Github]
) -> None:
    bot.more_env = {}  # gh has to find the repository by the remote
    number = hub.add_issue(REPO, "Broken", "It broke", author="owner")
    hub.add_label(REPO, "worker:01")
    clone = bot.clone(REPO)
    branch = f"issue-{number}"
    sha = bot.push_change(clone, branch, {"fix.txt": "fixed\n"})

    url = bot.gh("pr", "create", "--title", "Fix", "--body", f"Fixes #{number}", cwd=clone)
    bot.gh("issue", "edit", str(number), "--add-label", "worker:01", cwd=clone)
    issue = client("owner").get_repo(REPO).get_issue(number)
    pulls = list(client("owner").get_repo(REPO).get_pulls(head=f"acme:{branch}"))

    assert [(pull.html_url, pull.head.sha, pull.user.login) for pull in pulls] == [
        (url, sha, "bot")
    ]
    assert [(event.event, event.actor.login) for event in issue.get_events()] == [
        ("labeled", "bot")
    ]
    assert hub.leaks == []


def test_second_pull_request_for_a_branch_is_refused_with_the_address_of_the_first(
    hub: GitHubStandIn, bot: Person
) -> None:
    hub.add_commit(REPO, "issue-1", {"a": "1"})
    create = ("pr", "create", "--head", "issue-1", "--base", "main", "-t", "Fix", "-b", "It")
    clone = bot.clone(REPO)
    url = bot.gh(*create, cwd=clone)

    with pytest.raises(CommandError, match=url):
        bot.gh(*create, cwd=clone)

    assert len(hub.pulls(REPO)) == 1


def test_issue_is_viewed_with_its_comments(hub: GitHubStandIn, bot: Person) -> None:
    number = hub.add_issue(REPO, "Broken", "It broke", author="outsider", labels=["bug"])
    hub.add_comment(REPO, number, "Me too", author="outsider")

    fields = "author,body,comments,labels,number,state,title,url"
    seen = json.loads(bot.gh("issue", "view", str(number), "--json", fields))

    assert (seen["title"], seen["state"], seen["body"]) == ("Broken", "OPEN", "It broke")
    assert [comment["body"] for comment in seen["comments"]] == ["Me too"]
    assert "It broke" in bot.gh("issue", "view", str(number))
    assert "Me too" in bot.gh("issue", "view", str(number), "--comments")


def test_labels_are_created_set_and_taken(hub: GitHubStandIn, bot: Person) -> None:
    number = hub.add_issue(REPO, "Broken", labels=["bug"])

    bot.gh("label", "create", "worker:01", "--color", "112233")
    bot.gh("label", "create", "worker:01", "--color", "445566", "--force")
    bot.gh("issue", "edit", str(number), "--add-label", "worker:01", "--remove-label", "bug")

    assert hub.issue(REPO, number).labels == ("worker:01",)
    assert hub.labels(REPO)["worker:01"] == "445566"
    assert "worker:01" in bot.gh("label", "list")


def test_adding_a_label_the_repository_lacks_fails(hub: GitHubStandIn, bot: Person) -> None:
    number = hub.add_issue(REPO, "Broken")

    with pytest.raises(CommandError, match="'worker:01' not found"):
        bot.gh("issue", "edit", str(number), "--add-label", "worker:01")

    assert hub.issue(REPO, number).labels == ()


def test_issue_is_commented_on_and_closed(hub: GitHubStandIn, bot: Person) -> None:
    number = hub.add_issue(REPO, "Broken")

    bot.gh("issue", "comment", str(number), "--body", "Looking")
    bot.gh("issue", "close", str(number), "--reason", "not planned")
    issue = hub.issue(REPO, number)

    assert [(comment.author, comment.body) for comment in issue.comments] == [("bot", "Looking")]
    assert (issue.state, issue.state_reason) == ("closed", "not_planned")


def test_list_by_label_goes_through_the_index(hub: GitHubStandIn, bot: Person) -> None:
    hub.add_issue(REPO, "Broken", labels=["bug"])
    hub.add_issue(REPO, "Wanted")

    shown = json.loads(bot.gh("issue", "list", "--label", "bug", "--json", "number,title"))

    assert shown == [{"number": 1, "title": "Broken"}]
    assert hub.requests.matching(operation="IssueSearch")


def test_pull_request_is_viewed_listed_commented_on_and_merged(
    hub: GitHubStandIn, bot: Person
) -> None:
    number = hub.add_issue(REPO, "Broken")
    sha = hub.add_commit(REPO, "issue-1", {"a": "1\n"}, "Change a")
    pull = str(hub.add_pull(REPO, "issue-1", "Fix", f"Closes #{number}"))

    fields = "headRefOid,mergeable,commits,files,state,statusCheckRollup"
    seen = json.loads(bot.gh("pr", "view", pull, "--json", fields))
    listed = json.loads(bot.gh("pr", "list", "--head", "issue-1", "--json", "number"))
    bot.gh("pr", "comment", pull, "--body", "Ready")
    diff = bot.gh("pr", "diff", pull)
    bot.gh("pr", "merge", pull, "--merge")

    assert (seen["headRefOid"], seen["mergeable"], seen["state"]) == (sha, "MERGEABLE", "OPEN")
    assert [commit["messageHeadline"] for commit in seen["commits"]] == ["Change a"]
    assert listed == [{"number": int(pull)}]
    assert "+1" in diff
    assert hub.pulls(REPO)[0].merged
    assert hub.issue(REPO, number).state == "closed"


def test_gh_knows_who_and_where_it_is(hub: GitHubStandIn, bot: Person) -> None:
    status = bot.run(bot.gh_path, "auth", "status", "-h", "github.localhost")
    repo = json.loads(bot.gh("repo", "view", REPO, "--json", "nameWithOwner,viewerPermission"))

    assert bot.gh("api", "user", "--jq", ".login") == "bot"
    assert (status.returncode, "bot" in status.stdout + status.stderr) == (0, True)
    assert repo == {"nameWithOwner": REPO, "viewerPermission": "WRITE"}


def test_what_is_not_there_or_not_allowed_is_told(
    hub: GitHubStandIn, bot: Person, person: Callable[[str], Person]
) -> None:
    number = hub.add_issue(REPO, "Broken", labels=["bug"])
    outsider = person("outsider")
    outsider.gh_path, outsider.more_env = bot.gh_path, bot.more_env

    with pytest.raises(CommandError, match="Could not resolve"):
        bot.gh("issue", "view", "99")
    with pytest.raises(CommandError):
        outsider.gh("issue", "edit", str(number), "--remove-label", "bug")

    assert hub.issue(REPO, number).labels == ("bug",)


def test_tunnel_out_of_the_machine_is_refused_and_noted(hub: GitHubStandIn, bot: Person) -> None:
    bot.run(bot.gh_path, "api", "--hostname", "elsewhere.invalid", "user")
    bot.run("git", "ls-remote", "https://elsewhere.invalid/acme/app.git")

    assert "elsewhere.invalid:443" in hub.leaks


def test_red_check_is_looked_into_and_run_again(hub: GitHubStandIn, bot: Person) -> None:
    hub.ci = lambda pushed: [
        Job(name="lint"),
        Job(
            name="test",
            conclusion="failure" if pushed.attempt == 1 else "success",
            log="first\nit failed\n##[error]exit code 1.",
            annotations=(Annotation("a.txt", 7, "it is not 42"),),
        ),
    ]
    head = hub.add_commit(REPO, "issue-1", {"a.txt": "41"})
    number = str(hub.add_pull(REPO, "issue-1", "Fix"))

    checks = bot.run(bot.gh_path, "pr", "checks", number)
    (run,) = json.loads(bot.gh("run", "list", "--json", "databaseId,headSha"))
    view = bot.gh("run", "view", str(run["databaseId"]))
    log = bot.gh("run", "view", str(run["databaseId"]), "--log-failed")
    (job,) = re.findall(r"test\tfail\t.*/job/(\d+)", checks.stdout)
    bot.gh("run", "rerun", "--job", job)

    assert checks.returncode == 1
    assert run["headSha"] == head
    assert "it is not 42" in view
    assert [line.split("\t")[0] for line in log.splitlines()] == ["test"] * 3
    assert "it failed" in log
    assert "fail" not in bot.gh("pr", "checks", number)
    assert hub.leaks == []
