"""A key that is not the fleet's does not join, and the one that worked stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.audit import Head
from cw.fleet_models import Host
from cw.keyring import Keyring, make_keyring
from cw.store.store import Store, open_store
from tests.conftest import Cw
from tests.integration.newcomers import FLEET, OTHER, Written, file, refused
from tests.making import make_spec

pytestmark = pytest.mark.usefixtures("config")
PEM = f"-----BEGIN CERTIFICATE REQUEST-----\n{'M' * 64}\n-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("short\n", "holds no key"),
        (PEM, "not a fleet's signing key"),
        (f"{'word ' * 20}\n", "holds no key"),
        (f"{FLEET}\nshort\n", "holds no key"),
        (OTHER, "does not fit what this fleet has signed"),
    ],
    ids=["short", "pem", "blanks", "short below", "other"],
)
def test_key_that_is_refused_leaves_the_one_that_worked(
    signed: Store, cw: Cw, redis_url: str, written: Written, key: str, words: str
) -> None:
    first = cw("host", "join", redis_url, "--name", "east", "--key", "-", stdin=FLEET)
    before = written()
    assert first.returncode == 0, first.stderr

    done = cw("host", "join", redis_url, "--key", "-", stdin=key)

    assert words in refused(done)
    assert written() == before
    assert cw("hosts").returncode == 0
    assert signed.fleet.hosts()


def test_empty_name_of_a_key_is_refused(signed: Store, cw: Cw, redis_url: str) -> None:
    """A variable that was empty is not the wish to join without a key."""
    assert "--key" in refused(cw("host", "join", redis_url, "--key", ""))
    assert signed.fleet.hosts()


def test_key_that_is_being_changed_joins_with_the_old_one_below_it(
    signed: Store, cw: Cw, redis_url: str
) -> None:
    done = cw("host", "join", redis_url, "--key", "-", stdin=f"# new\n{OTHER}\n{FLEET}\n")

    assert done.returncode == 0, done.stderr
    assert "warning: the signing key" not in done.stderr
    assert signed.fleet.hosts()


def test_own_key_of_the_machine_is_compared_as_well(
    signed: Store, cw: Cw, redis_url: str, tmp_path: Path, written: Written
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    own = file(tmp_path / "state" / "signing.key", OTHER)
    before = written()

    said = refused(cw("host", "join", redis_url, "--name", "east"))

    assert f"the signing key {own} does not fit what this fleet has signed" in said
    assert "--key" in said
    assert written() == before
    file(tmp_path / "state" / "signing.key", FLEET)
    assert cw("host", "join", redis_url, "--name", "east").returncode == 0
    assert signed.fleet.hosts()


def test_word_of_this_machine_itself_proves_nothing(
    signed: Store, cw: Cw, redis_url: str, tmp_path: Path
) -> None:
    """It may have worked here with a key of its own before."""
    open_store(redis_url, make_keyring([OTHER])).audit.keep("east", Head(1, "b" * 64))
    key = file(tmp_path / "other.key", OTHER)

    done = cw("host", "join", redis_url, "--name", "east", "--key", key)

    assert "does not fit" in refused(done)
    assert signed.fleet.hosts()


@pytest.mark.parametrize(("ring", "code"), [([FLEET], 0), ([OTHER], 2)], ids=["same", "other"])
def test_open_task_says_which_key_it_is(
    store: Store, cw: Cw, redis_url: str, tmp_path: Path, ring: list[str], code: int
) -> None:
    keyring: Keyring = make_keyring(ring)
    open_store(redis_url, keyring).tasks.create(make_spec(), "")
    key = file(tmp_path / "fleet.key", FLEET)

    done = cw("host", "join", redis_url, "--name", "east", "--key", key)

    assert done.returncode == code, done.stderr
    assert store.tasks.open_tasks()


def test_machine_is_warned_when_nothing_says_whether_its_key_fits(
    store: Store, cw: Cw, redis_url: str, tmp_path: Path
) -> None:
    store.fleet.beat(Host(name="first", machine="other"), store.tasks.now())
    none = cw("host", "join", redis_url, "--name", "east")
    (tmp_path / "state").mkdir(mode=0o700, exist_ok=True)
    file(tmp_path / "state" / "signing.key", OTHER)

    own = cw("host", "join", redis_url, "--name", "east")

    assert (none.returncode, own.returncode) == (0, 0)
    assert "warning: no signing key was given" in none.stderr
    assert "warning: nothing at the broker is signed yet" in own.stderr
    assert make_keyring([OTHER]).id in own.stderr
