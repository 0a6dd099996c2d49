"""Each test runs once for every claude found; runs that several tests look at are shared."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.binaries import Claude, found
from tests.contract.ordinary import Ordinary, ordinary_run
from tests.contract.room import Room
from tests.needs import require
from tests.standins.messages import MessagesStandIn

CLAUDES: list[Claude | None] = [*found()] or [None]

NewRoom = Callable[[], Room]


def _name(claude: Claude | None) -> str:
    return claude.dotted if claude else "none"


@pytest.fixture(scope="session", params=CLAUDES, ids=_name)
def claude(request: pytest.FixtureRequest) -> Claude:
    here: Claude | None = request.param
    require(here, "claude: set CW_TEST_CLAUDES or install claude-agent-sdk")
    assert here
    return here


@pytest.fixture(scope="session")
def api() -> Iterator[MessagesStandIn]:
    with MessagesStandIn() as api:
        yield api


@pytest.fixture(scope="session")
def new_room(
    claude: Claude, api: MessagesStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewRoom]:
    rooms: list[Room] = []

    def make() -> Room:
        home: Path = tmp_path_factory.mktemp("home")
        rooms.append(Room(claude, api, home))
        return rooms[-1]

    yield make
    for room in rooms:
        room.close()


@pytest.fixture
def room(new_room: NewRoom) -> Iterator[Room]:
    room = new_room()
    yield room
    room.close()


@pytest.fixture(scope="session")
def ordinary(new_room: NewRoom, tmp_path_factory: pytest.TempPathFactory) -> Ordinary:
    return ordinary_run(new_room(), tmp_path_factory.mktemp("elsewhere") / "outside.txt")
