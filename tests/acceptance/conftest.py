"""Fleets for the acceptance tests: one a module, with two workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
import redis

from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet, remove, short_folder
from tests.contract.binaries import found as claudes
from tests.making import give_key
from tests.needs import need, require
from tests.standins.github import GitHubStandIn
from tests.standins.messages import MessagesStandIn
from tests.walls import WALLS


@contextmanager
def running_fleet(
    claude: Path,
    settings: dict[str, str] | None = None,
    *,
    private: bool = False,
    https: bool = False,
) -> Iterator[Fleet]:
    need("git")
    home = short_folder()
    with GitHubStandIn(home / "hub", https=https) as hub, MessagesStandIn() as api:
        hub.add_repo("acme/app", files={"README.md": "# App\n"}, private=private)
        hub.add_user("bot", TOKEN, {"acme/app": "write"})
        fleet = Fleet(home, hub, api, claude, settings or {})
        (home / ".gitconfig").write_text("[user]\n\tname = Bot\n\temail = bot@acme.invalid\n")
        try:
            fleet.ok("init", "01", "02")
            fleet.up()
            yield fleet
            assert set(hub.leaks) <= {
                "github.localhost:22"
            }  # the stand-in itself, which has no ssh
        finally:
            fleet.down()
            remove(home)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """With the rehearsal agent: fast, and told by the prompt how to behave."""
    with running_fleet(REHEARSAL) as one:
        yield one


@pytest.fixture(scope="module", params=["http", "https"])
def any_fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """The same over http and over https, where git and the API go through tunnels of a proxy."""
    # Soon again, and for a minute: on a busy machine a step takes longer than a second.
    soon = {"CW_DEFER_SECONDS": "1", "CW_MAX_DEFERRALS": "60"}
    with running_fleet(REHEARSAL, soon, https=request.param == "https") as one:
        yield one


def by_turns(samples: Iterable[str]) -> list[tuple[str, str]]:
    """For `any_fleet` and a table: one half over http, the other over https."""
    return list(zip(cycle(("http", "https")), samples))


@contextmanager
def running_claude(settings: dict[str, str] | None = None) -> Iterator[Fleet]:
    """With the real claude, driven by the scripted Messages API."""
    binaries = claudes()
    require(binaries, "a claude binary")
    require(WALLS, "bubblewrap and socat that work")
    need("gh")
    with running_fleet(binaries[-1].path, settings) as one:
        yield one


@pytest.fixture(scope="module")
def real_fleet() -> Iterator[Fleet]:
    with running_claude() as one:
        yield one


@pytest.fixture(scope="module")
def two_hosts(redis_server: str) -> Iterator[tuple[Fleet, Fleet]]:
    """Two machines on one broker: `east` has worker e1, `west` has w1 and w2."""
    need("git")
    east_home, west_home, hub_home = short_folder(), short_folder(), short_folder()
    with GitHubStandIn(hub_home) as hub, MessagesStandIn() as api:
        hub.add_repo("acme/app", files={"README.md": "# App\n"})
        hub.add_user("bot", TOKEN, {"acme/app": "write"})
        shared = {"CW_BROKER_URL": redis_server, "CW_SIGNING_KEY_FILE": give_key(hub_home)}
        east, west = (
            Fleet(home, hub, api, REHEARSAL, {**shared, "CW_HOST_NAME": name})
            for home, name in ((east_home, "east"), (west_home, "west"))
        )
        try:
            east.ok("init", "e1")
            west.ok("init", "w1", "w2")
            east.up()
            west.up()
            yield east, west
            assert hub.leaks == []
        finally:
            east.cw("stop", "--all")  # what a failed test left running
            east.down()
            west.down()
            for folder in (east_home, west_home, hub_home):
                remove(folder)
            with redis.Redis.from_url(redis_server) as client:
                client.flushall()
