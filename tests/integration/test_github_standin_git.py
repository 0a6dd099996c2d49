"""Real git against the stand-in."""

from collections.abc import Callable
from pathlib import Path

import pytest
from github import Github

from tests.standins.github import GitHubStandIn
from tests.standins.github.person import CommandError, Person

REPO = "acme/app"
People = Callable[[str], Person]


def test_public_repository_is_cloned_without_a_token(hub: GitHubStandIn, person: People) -> None:
    nobody = person("bot")

    nobody.git("-c", "credential.helper=", "clone", "-q", f"{hub.url}/{REPO}", "app")

    assert (nobody.home / "app" / "README.md").read_text() == "# app\n"
    assert {request.login for request in hub.requests} == {""}


def test_private_repository_asks_for_a_password_and_hides_from_strangers(
    hub: GitHubStandIn, person: People
) -> None:
    hub.add_repo("acme/secret", private=True)
    hub.add_user("bot", permissions={"acme/secret": "read"})

    person("bot").clone("acme/secret")
    with pytest.raises(CommandError, match="not found"):
        person("outsider").clone("acme/secret")

    assert hub.requests.matching("GET", "secret")[0].status == 401


@pytest.mark.parametrize("login", ["helper", "outsider"])
def test_push_without_write_access_is_refused(
    hub: GitHubStandIn, person: People, login: str
) -> None:
    someone = person(login)
    clone = someone.clone(REPO)

    with pytest.raises(CommandError, match="403"):
        someone.push_change(clone, "issue-1", {"a": "1"})

    assert set(hub.heads(REPO)) == {"main"}


def test_unknown_token_is_refused(hub: GitHubStandIn, person: People) -> None:
    bot = person("bot")
    clone = bot.clone(REPO)
    hub.revoke_token("bot-token")

    with pytest.raises(CommandError, match="Authentication failed"):
        bot.push_change(clone, "issue-1", {"a": "1"})


def test_large_push_in_chunks_arrives(hub: GitHubStandIn, person: People) -> None:
    bot = person("bot")
    clone = bot.clone(REPO)
    bot.git("config", "http.postBuffer", "65536", cwd=clone)
    noise = "".join(f"{number * 7919 % 1000003}\n" for number in range(200_000))

    sha = bot.push_change(clone, "issue-1", {"noise.txt": noise})

    assert hub.heads(REPO)["issue-1"] == sha


def test_push_moves_the_head_of_an_open_pull_request(hub: GitHubStandIn, person: People) -> None:
    bot = person("bot")
    clone = bot.clone(REPO)
    bot.push_change(clone, "issue-1", {"a": "1"})
    hub.add_pull(REPO, "issue-1", "First")

    sha = bot.push_change(clone, "issue-1", {"a": "2"})

    assert [pull.head_sha for pull in hub.pulls(REPO)] == [sha]


def test_deleting_the_head_branch_closes_the_pull_request(
    hub: GitHubStandIn, person: People
) -> None:
    bot = person("bot")
    clone = bot.clone(REPO)
    bot.push_change(clone, "issue-1", {"a": "1"})
    hub.add_pull(REPO, "issue-1", "First")

    bot.git("push", "-q", "origin", "--delete", "issue-1", cwd=clone)

    assert [(pull.state, pull.merged) for pull in hub.pulls(REPO)] == [("closed", False)]


def test_pushing_the_commits_to_main_merges_the_pull_request(
    hub: GitHubStandIn, person: People
) -> None:
    bot = person("bot")
    clone = bot.clone(REPO)
    bot.push_change(clone, "issue-1", {"a": "1"})
    hub.add_pull(REPO, "issue-1", "First")

    bot.git("push", "-q", "origin", "issue-1:main", cwd=clone)

    assert [pull.merged for pull in hub.pulls(REPO)] == [True]


def test_seed_is_copied_and_left_alone(
    hub: GitHubStandIn, person: People, tmp_path: Path, client: Callable[[str], Github]
) -> None:
    seed = hub.add_repo("acme/seed", files={"only.txt": "here\n"})
    hub.add_repo("acme/copy", seed=seed)
    hub.add_user("bot", permissions={"acme/copy": "write"})
    bot = person("bot")

    bot.push_change(bot.clone("acme/copy"), "issue-1", {"a": "1"})

    assert set(hub.heads("acme/seed")) == {"main"}
    assert client("bot").get_repo("acme/copy").get_branch("issue-1").name == "issue-1"
