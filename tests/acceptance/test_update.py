"""`cw update` in an environment of its own: a newer wheel, refreshed workers, a new host."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.acceptance.fleet import REHEARSAL, ROOT, TOKEN, Fleet, remove, short_folder
from tests.needs import need, require
from tests.standins.github import GitHubStandIn
from tests.standins.messages import MessagesStandIn
from tests.waiting import wait_until

_SOURCES = ("cw", "workerhost", "templates")
_FILES = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
OLD, NEW = "0.0.1", "0.0.2"
# What is there already is not fetched, and its hash not asked for.
LOCK = f"click=={version('click')} --hash=sha256:{'0' * 64}\n"


def build_wheel(version: str, into: Path) -> None:
    """Of this source under another version; its template says which."""
    source = into / f"source-{version}"
    source.mkdir(parents=True)
    for name in _SOURCES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(ROOT / name, source / name)
    (source / "deploy").mkdir()
    (source / "deploy" / "requirements.txt").write_text(LOCK)
    (source / "cw" / "__init__.py").write_text(f'"""Under test."""\n\n__version__ = "{version}"\n')
    with (source / "templates" / "worker" / ".claude" / "CLAUDE.md").open("a") as file:
        file.write(f"\nRules of {version}.\n")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into / "wheels")],
        cwd=source,
        check=True,
        capture_output=True,
    )


def make_environment(room: Path) -> Path:
    """The old wheel in a venv with pip; what it depends on comes from where the tests run."""
    place = room / "venv"
    venv.create(place, with_pip=True, symlinks=True)
    pure = next(place.glob("lib/python3*/site-packages"))
    (pure / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    wheels = ["--no-index", "--no-deps", "--find-links", str(room / "wheels")]
    subprocess.run(
        [place / "bin" / "python", "-m", "pip", "install", *wheels, f"claude-workers=={OLD}"],
        check=True,
        capture_output=True,
    )
    return place


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    need("git")
    require(find_spec("hatchling"), "hatchling")
    home = short_folder()
    for given in (OLD, NEW):
        build_wheel(given, home)
    place = make_environment(home)
    with GitHubStandIn(home / "hub") as hub, MessagesStandIn() as api:
        hub.add_repo("acme/app", files={"README.md": "# App\n"})
        hub.add_user("bot", TOKEN, {"acme/app": "write"})
        one = Fleet(home, hub, api, REHEARSAL)
        one.settings = {
            "PATH": f"{place / 'bin'}:{one.env()['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_FIND_LINKS": str(home / "wheels"),
        }
        try:
            one.ok("init", "01", "02")
            one.up()
            yield one
        finally:
            one.cw("cancel", "--force", *tasks(one))
            one.down()
            remove(home)


def tasks(fleet: Fleet) -> list[str]:
    rows = fleet.json("status")["workers"]
    return [row["about"]["task"] for row in rows if row["about"]]


@pytest.mark.timeout(300)
def test_update_gives_everything_the_new_code_and_ends_no_run(fleet: Fleet) -> None:
    refuses_files_with_another_hash(fleet)
    is_one_line_without_an_index(fleet)
    assert fleet.ok("--version") == f"cw {OLD}\n"
    number = fleet.github.add_issue("acme/app", "Go on", "rehearse: pace 0.01\nrehearse: hang\n")
    fleet.json("dispatch", "-r", "acme/app", "-i", str(number), "-w", "01")
    state = fleet.worker("01") / "run" / "shim.json"
    wait_until(state.exists, what="the agent")
    shim = state.read_text()
    rules = fleet.worker("02") / ".claude" / "CLAUDE.md"
    with rules.open("a") as file:
        file.write("Mine.\n")

    planned = fleet.json("update", "--dry-run")
    done = fleet.cw("update", "--json")

    assert done.returncode == 0, done.stderr
    assert planned["version"] == OLD
    assert planned["commands"][0].endswith("claude-workers")
    assert "--require-hashes" in planned["commands"][1]
    assert "its lock has the hashes of 1 packages, which pip requires" in done.stderr
    said = json.loads(done.stdout)
    assert (said["version"], said["restarted"]) == (NEW, ["host", "beat"])
    assert fleet.ok("--version") == f"cw {NEW}\n"
    (host,) = fleet.json("hosts")
    assert (host["state"], host["version"], host["busy"]) == ("up", NEW, 1)
    assert state.read_text() == shim
    assert Path(f"/proc/{json.loads(shim)['pid']}").exists()
    assert f"Rules of {NEW}." in (fleet.worker("01") / ".claude" / "CLAUDE.md").read_text()
    assert rules.read_text().endswith("Mine.\n")
    assert f"Rules of {NEW}." in rules.with_name("CLAUDE.md.new").read_text()
    (stopped,) = fleet.json("stop", "01")  # the new host has the run in hand
    assert stopped["state"] == "stopped"


def refuses_files_with_another_hash(fleet: Fleet) -> None:
    """The lock wants a version of which there is a file, but not with this hash."""
    wheels = fleet.home / "wheels"
    newest = wheels / f"claude_workers-{NEW}-py3-none-any.whl"
    kept = newest.read_bytes()
    with zipfile.ZipFile(wheels / "packaging-0.0.9-py3-none-any.whl", "w") as file:
        file.writestr("packaging-0.0.9.dist-info/METADATA", "Name: packaging\nVersion: 0.0.9\n")
        file.writestr("packaging-0.0.9.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("packaging-0.0.9.dist-info/RECORD", "")
    put_lock(newest, f"packaging==0.0.9 --hash=sha256:{'0' * 64}\n")

    done = fleet.cw("update")

    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    newest.write_bytes(kept)


def is_one_line_without_an_index(fleet: Fleet) -> None:
    wheels = fleet.home / "wheels"
    away = wheels.rename(fleet.home / "away")

    done = fleet.cw("update", "--json")

    assert done.returncode == 1
    assert [one for one in done.stderr.splitlines() if "No matching distribution" in one]
    assert "ERROR" not in done.stderr
    away.rename(wheels)


def put_lock(wheel: Path, text: str) -> None:
    """In the place of its own."""
    with zipfile.ZipFile(wheel) as file:
        parts = {one: file.read(one) for one in file.namelist()}
    with zipfile.ZipFile(wheel, "w") as file:
        for name, data in (parts | {"cw/requirements.txt": text.encode()}).items():
            file.writestr(name, data)
