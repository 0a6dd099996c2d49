"""What `cw host join` writes is what it checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.store.store import Store
from tests.conftest import Cw
from tests.integration.networked import certificates
from tests.integration.newcomers import FLEET, Written, file, refused, values

pytestmark = pytest.mark.usefixtures("config")


def test_joining_again_changes_only_what_is_given(
    signed: Store, cw: Cw, config: Path, redis_url: str, tmp_path: Path
) -> None:
    certificates(tmp_path)
    key = file(tmp_path / "given.key", FLEET)
    words = ("--ca", str(tmp_path / "ca.pem"), "--key", key, "--name", "east", "--tags", "gpu")
    first = cw("host", "join", redis_url, *words)
    before = values(config)

    again = cw("host", "join", redis_url, "--tags", "big")

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert before["broker"]["ca"] == str(tmp_path / "ca.pem")
    assert values(config) == before | {"host": {"name": "east", "tags": ["big"]}}
    assert "east joins" in again.stdout
    assert cw("hosts").returncode == 0
    assert signed.fleet.hosts()


def test_empty_word_takes_a_setting_out(
    signed: Store, cw: Cw, config: Path, redis_url: str
) -> None:
    cw("host", "join", redis_url, "--name", "east", "--tags", "gpu")

    done = cw("host", "join", redis_url, "--tags", "")

    assert done.returncode == 0, done.stderr
    assert values(config) == {"broker": {"url": redis_url}, "host": {"name": "east"}}
    assert signed.fleet.hosts()


def test_check_is_of_the_file_as_it_will_be(
    signed: Store, cw: Cw, config: Path, redis_url: str, written: Written
) -> None:
    """A line of one's own that does not fit the new ones is found before anything is written."""
    file(config, '[broker]\nca = "/nowhere/ca.pem"\n')
    before = written()

    done = cw("host", "join", redis_url.replace("unix://", "rediss://u:p@127.0.0.1:1/"))

    assert "there is no file /nowhere/ca.pem" in refused(done)
    assert written() == before
    assert signed.fleet.hosts()


def test_name_that_is_taken_leaves_no_trace(
    signed: Store, cw: Cw, redis_url: str, written: Written
) -> None:
    before = written()

    assert "has the name first" in refused(cw("host", "join", redis_url, "--name", "first"))

    assert written() == before
    assert signed.fleet.hosts()


def test_file_without_certificates_is_refused(
    signed: Store, cw: Cw, redis_url: str, tmp_path: Path, written: Written
) -> None:
    ca = file(tmp_path / "ca.pem", "no certificate\n")
    before = written()

    said = refused(cw("host", "join", redis_url, "--ca", ca))

    assert f"{ca} holds no certificates" in said
    assert written() == before
    assert signed.fleet.hosts()


def test_join_that_cannot_write_leaves_the_key_that_worked(
    signed: Store, cw: Cw, redis_url: str, closed: Path, written: Written, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    file(tmp_path / "state" / "fleet.key", "the one that worked")
    before = written()

    words = ("--name", "east", "--key", "-")
    done = cw("host", "join", redis_url, *words, stdin=FLEET, CW_CONFIG=str(closed))

    assert f"{closed} cannot be written" in refused(done)
    assert written() == before
    assert signed.fleet.hosts()
