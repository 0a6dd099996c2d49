"""A GitHub for the tests of this folder, and a machine that joins a fleet."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from github import Auth, Github

from cw.audit import Head
from cw.fleet_models import Host
from cw.keyring import make_keyring
from cw.store.store import Store, open_store
from tests.integration.newcomers import FLEET, Written
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


@pytest.fixture(params=["http", "https"])
def any_hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GitHubStandIn]:
    """The same over http, and over https by way of a proxy's tunnels."""
    need("git")
    with GitHubStandIn(tmp_path / "hub", https=request.param == "https") as hub:
        hub.add_repo(REPO, files={"README.md": "# app\n", "run.sh": "#!/bin/sh\n"})
        hub.add_user("bot", "bot-token", {REPO: "write"})
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


@pytest.fixture
def config(cw_environ: dict[str, str]) -> Path:
    """This machine has no name but what its config.toml says."""
    del cw_environ["CW_HOST_NAME"]
    return Path(cw_environ["CW_CONFIG"])


@pytest.fixture
def written(config: Path) -> Written:
    """All files of this machine."""

    def read() -> dict[str, bytes]:
        folders = [path for path in config.parent.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in folders}

    return read


@pytest.fixture
def signed(store: Store, redis_url: str) -> Store:
    """A fleet whose host `first` has done something."""
    opened = open_store(redis_url, make_keyring([FLEET]))
    opened.audit.keep("first", Head(1, "a" * 64))
    opened.fleet.beat(Host(name="first", machine="other"), store.tasks.now())
    return opened


@pytest.fixture
def closed(config: Path) -> Path:
    """A config.toml that nobody can replace, root neither: there is no room for a longer name
    beside it.
    """
    return config.with_name("c" * 250)
