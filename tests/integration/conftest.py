"""A GitHub for the tests of this folder."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from github import Auth, Github

from tests.needs import need, require
from tests.standins.github import GitHubStandIn
from tests.standins.github.person import Person

REPO = "acme/app"
TOKENS = {"owner": "admin", "bot": "write", "helper": "triage", "outsider": "none"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubStandIn]:
    """acme/app and four users, each with the token "<login>-token"."""
    need("git")
    with GitHubStandIn(tmp_path / "hub") as hub:
        hub.add_repo(REPO, files={"README.md": "# app\n", "run.sh": "#!/bin/sh\n"})
        for login, level in TOKENS.items():
            hub.add_user(login, f"{login}-token", {} if level == "none" else {REPO: level})
        yield hub


@pytest.fixture
def person(hub: GitHubStandIn, tmp_path: Path) -> Callable[[str], Person]:
    """person("bot") works with the token of bot."""

    def make(login: str) -> Person:
        return Person(hub=hub, token=f"{login}-token", home=tmp_path / login)

    return make


@pytest.fixture
def client(hub: GitHubStandIn) -> Iterator[Callable[[str], Github]]:
    """PyGithub without its pauses and without its retries."""
    made: list[Github] = []

    def make(login: str) -> Github:
        made.append(
            Github(
                base_url=hub.api_url,
                auth=Auth.Token(f"{login}-token"),
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=None,
            )
        )
        return made[-1]

    yield make
    for github in made:
        github.close()


@pytest.fixture(params=["system", "venv"])
def gh(request: pytest.FixtureRequest) -> str:
    """The gh of the machine, often years old, and the one beside this Python."""
    mine = Path(sys.executable).parent
    if request.param == "venv":
        path = shutil.which("gh", path=str(mine))
    else:
        elsewhere = [p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != mine]
        path = shutil.which("gh", path=os.pathsep.join(elsewhere))
    require(path, f"gh ({request.param})")
    return path or ""
