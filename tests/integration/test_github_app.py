"""A GitHub App in place of a token: one repository a token, renewed in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cw.errors import BadInputError, GitHubRefusedError
from cw.github.app import AppTokens, app_tokens
from cw.github.client import GitHub
from cw.github.repository import missing, read_repository
from cw.settings import Settings
from tests.integration.conftest import REPO
from tests.kept import Memory
from tests.standins.github import GitHubStandIn
from tests.standins.github.app_key import app_key

APP = 7
PRIVATE, PUBLIC = app_key()


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(hub: GitHubStandIn, clock: Clock) -> AppTokens:
    hub.add_repo("acme/other", private=True)
    hub.add_repo("acme/closed", private=True)
    hub.add_app(APP, "cw", 70, {REPO: "write", "acme/other": "write"}, public_key=PUBLIC)
    return AppTokens(str(APP), PRIVATE, hub.api_url, clock)


def made(hub: GitHubStandIn) -> int:
    return len(hub.requests.matching("POST", "/access_tokens$"))


def test_token_reaches_the_one_repository_it_was_made_for(
    hub: GitHubStandIn, app: AppTokens
) -> None:
    number = hub.add_issue("acme/other", "Secret")
    of_other = GitHub(hub.api_url, app.token("acme/other"), pace=0)
    of_app = GitHub(hub.api_url, app.token(REPO), pace=0)

    assert of_other.issue("acme/other", number).title == "Secret"
    with pytest.raises(GitHubRefusedError):
        of_app.issue("acme/other", number)


def test_client_takes_the_token_of_each_repository(hub: GitHubStandIn, app: AppTokens) -> None:
    github = GitHub(hub.api_url, app, pace=0)
    for repo in (REPO, "acme/other"):
        number = hub.add_issue(repo, f"Of {repo}")

        found = read_repository(github, repo)
        assert (found.name, found.push, missing(github, found)) == (repo, True, ())
        assert github.issue(repo, number).title == f"Of {repo}"
        assert github.add_label(repo, number, "worker:01") == ("worker:01",)

    assert github.app_login() == "cw[bot]"
    assert made(hub) == 2


def test_token_is_kept_for_three_quarters_of_its_hour(
    hub: GitHubStandIn, app: AppTokens, clock: Clock
) -> None:
    first = app.token(REPO)
    clock.now += timedelta(minutes=44)
    assert app.token(REPO.upper()) == first
    clock.now += timedelta(minutes=2)

    second = app.token(REPO)

    assert second != first
    assert made(hub) == 2


def test_repository_without_the_app_is_refused_by_name(app: AppTokens) -> None:
    with pytest.raises(GitHubRefusedError, match="acme/closed"):
        app.token("acme/closed")


def test_key_of_another_app_is_not_accepted(hub: GitHubStandIn, app: AppTokens) -> None:
    forged = AppTokens(str(APP), app_key()[0], hub.api_url)

    with pytest.raises(GitHubRefusedError, match="accept"):
        forged.token(REPO)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (PRIVATE, 0o640, "chmod 600"),
        ("no key", 0o600, "no private key"),
        (PUBLIC, 0o600, "no private key"),
        (None, 0o600, "no private key"),
    ],
    ids=["open", "nonsense", "public", "absent"],
)
def test_key_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str | None, mode: int, said: str
) -> None:
    path = tmp_path / "app.pem"
    if text is not None:
        path.write_text(text, "ascii")
        path.chmod(mode)

    with pytest.raises(BadInputError) as refused:
        app_tokens(Settings(github_app_id="7", github_app_key_file=path))

    assert said in refused.value.line()


RIGHTS = {"contents": "write", "issues": "write", "pull_requests": "write"}


def test_agents_are_given_no_right_to_start_what_runs_in_actions(
    hub: GitHubStandIn, app: AppTokens
) -> None:
    """Only a job that runs again is asked for with one, and not by an agent."""
    hub.state.apps[APP] = replace(
        hub.state.apps[APP], granted=RIGHTS | {"actions": "write", "checks": "read"}
    )
    github = GitHub(hub.api_url, app, pace=0)
    head = hub.add_commit("acme/other", "main", {"a": "1"})
    job = hub.check("acme/other", head, "test", "failure", log="it failed")

    (found,) = github.failures("acme/other", head, ["CI / test"], Memory())
    github.rerun("acme/other", [found.rerunnable])

    grants = [hub.state.tokens[value].grants for value in hub.state.tokens if value[:4] == "ghs_"]
    assert found.log == "it failed"
    assert found.rerunnable.endswith(f"/{job}")
    assert grants == [
        RIGHTS | {"actions": "read", "checks": "read"},
        RIGHTS | {"actions": "write", "checks": "read"},
    ]
    assert hub.state.tokens[app.token("acme/other")].grants == grants[0]


def test_app_that_may_not_write_to_actions_runs_nothing_again(
    hub: GitHubStandIn, app: AppTokens
) -> None:
    github = GitHub(hub.api_url, app, pace=0)
    head = hub.add_commit("acme/other", "main", {"a": "1"})
    job = hub.check("acme/other", head, "test", "failure", log="it failed")

    with pytest.raises(GitHubRefusedError, match="was not given actions: write") as refused:
        github.rerun("acme/other", [f"1/{job}"])

    assert refused.value.hint == "Give it write access to actions"
