"""A file of the state folder that cannot be used is named in one line, and nothing is done."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from cw.services import trouble
from cw.settings import Settings
from tests.conftest import Cw


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\0\x80{{{\n")
    path.chmod(0o600)


def empty(path: Path) -> None:
    path.touch(mode=0o600)


def folder(path: Path) -> None:
    path.mkdir()


AUDIT, KEY, URL, LOCK = (
    "state/audit/here.jsonl",
    "state/signing.key",
    "state/broker/url",
    "state/up.lock",
)
DAMAGED: list[tuple[str, Callable[[Path], None], tuple[str, ...]]] = [
    *((KEY, how, ("status",)) for how in (garbage, empty, folder)),
    *((KEY, how, ("audit", "verify")) for how in (garbage, empty, folder)),
    *(("config.toml", how, ("status",)) for how in (garbage, folder)),
    *(("config.toml", how, ("up", "-d")) for how in (garbage, folder)),
    *((URL, how, ("status",)) for how in (garbage, empty, folder)),
    *((AUDIT, folder, typed) for typed in (("audit",), ("audit", "verify"))),
    *((LOCK, folder, typed) for typed in (("down",), ("up", "-d"))),
]


@pytest.mark.parametrize(
    ("name", "how", "typed"), DAMAGED, ids=[f"{a}-{b.__name__}-{c[0]}" for a, b, c in DAMAGED]
)
def test_file_that_cannot_be_used_is_named(
    cw: Cw,
    tmp_path: Path,
    redis_url: str,
    name: str,
    how: Callable[[Path], None],
    typed: tuple[str, ...],
) -> None:
    path = tmp_path / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    how(path)

    done = cw(*typed, **({} if name in {URL, LOCK} else {"CW_BROKER_URL": redis_url}))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr


@pytest.mark.parametrize("how", [garbage, empty, folder])
@pytest.mark.parametrize("name", ["proven.json", "services.json", "trouble.json"])
def test_file_that_is_only_remembered_is_made_anew(
    cw: Cw, tmp_path: Path, redis_url: str, name: str, how: Callable[[Path], None]
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    how(tmp_path / "state" / name)

    for typed in (("status",), ("down",)):
        assert cw(*typed, CW_BROKER_URL=redis_url).returncode == 0


def test_lock_that_is_held_and_says_nothing_is_no_leave_to_start(cw: Cw, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    path = tmp_path / LOCK
    garbage(path)
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        done = cw("up", "-d")

    assert done.returncode == 2
    assert f"cw up runs, but {path} does not say" in done.stderr


def test_what_a_broker_said_is_told_to_whoever_finds_it_away(cw: Cw, tmp_path: Path) -> None:
    (tmp_path / "state" / "broker").mkdir(mode=0o700, parents=True)
    (tmp_path / URL).write_text(f"unix://:x@{tmp_path}/nobody?db=0")
    trouble.keep(Settings(state_dir=tmp_path / "state"), "broker", "its file is a folder")

    for typed in (("status",), ("pause", "01"), ("queue",)):
        done = cw(*typed)
        assert done.returncode == 4
        assert "its file is a folder. Start it with: cw up" in done.stderr
    assert "its file is a folder" in cw("doctor").stdout


def test_why_a_host_does_not_run_is_told_by_status(cw: Cw, tmp_path: Path, redis_url: str) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    trouble.keep(Settings(state_dir=tmp_path / "state"), "host", "its HOMEs are gone")

    done = cw("status", CW_BROKER_URL=redis_url)

    assert "host of this machine: its HOMEs are gone" in done.stderr
