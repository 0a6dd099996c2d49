"""`cw host leave`: out of the fleet, or where it was and told why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cw.fleet_models import Host
from cw.store.store import Store
from tests.conftest import Cw
from tests.integration.newcomers import FLEET, file, refused

pytestmark = pytest.mark.usefixtures("config")


def joined(cw: Cw, store: Store, redis_url: str) -> None:
    assert (
        cw("host", "join", redis_url, "--name", "east", "--key", "-", stdin=FLEET).returncode == 0
    )
    store.fleet.beat(Host(name="east"), store.tasks.now() - timedelta(hours=1))


def test_machine_that_cannot_write_its_config_has_not_left(
    signed: Store, cw: Cw, config: Path, redis_url: str, closed: Path
) -> None:
    joined(cw, signed, redis_url)
    file(closed, config.read_text())

    said = refused(cw("host", "leave", CW_CONFIG=str(closed)))

    assert "cannot be written" in said
    assert {one.name for one in signed.fleet.hosts()} == {"first", "east"}
    assert cw("host", "leave").returncode == 0
    assert {one.name for one in signed.fleet.hosts()} == {"first"}


@pytest.mark.parametrize("name", ["CW_BROKER_URL", "CW_BROKER_URL_FILE"])
def test_machine_that_its_environment_put_there_has_not_left(
    signed: Store, cw: Cw, redis_url: str, tmp_path: Path, name: str
) -> None:
    joined(cw, signed, redis_url)
    given = redis_url if name == "CW_BROKER_URL" else file(tmp_path / "url", redis_url)

    said = refused(cw("host", "leave", **{name: given}))

    assert f"{name} " in said
    assert "cw host forget east" in said
    assert {one.name for one in signed.fleet.hosts()} == {"first", "east"}


def test_machine_that_never_started_its_host_leaves(
    signed: Store, cw: Cw, config: Path, redis_url: str
) -> None:
    cw("host", "join", redis_url, "--name", "east", "--key", "-", stdin=FLEET)

    done = cw("host", "leave")

    assert done.returncode == 0, done.stderr
    assert config.read_text() == ""
    assert "has joined no fleet" in refused(cw("host", "leave"))
    assert {one.name for one in signed.fleet.hosts()} == {"first"}
