"""The units, as far as they can be judged without starting them."""

from __future__ import annotations

import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tests.needs import need

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
NAMES = [one.stem for one in UNITS]


def options_of(name: str, section: str) -> dict[str, str]:
    """Of options given twice, the last."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "deploy" / "systemd" / f"{name}.service", "utf-8")
    return dict(parser[section])


def service(name: str) -> dict[str, str]:
    return options_of(name, "Service")


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_unit_is_closed_enough(unit: Path) -> None:
    program = need("systemd-analyze")

    done = subprocess.run(
        [program, "security", "--offline=true", "--threshold=49", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_service_says_when_it_is_ready_and_comes_back(name: str) -> None:
    options = service(name)

    assert options["Type"] == "notify"
    assert options["Restart"] == "always"
    assert options["NoNewPrivileges"] == "yes"
    assert options["CapabilityBoundingSet"] == ""


@pytest.mark.parametrize("name", NAMES)
def test_service_is_started_again_however_often_it_ended(name: str) -> None:
    """A full disk ends a broker for as long as it is full."""
    assert options_of(name, "Unit")["StartLimitIntervalSec"] == "0"
    assert int(service(name)["RestartSec"]) >= 2


def test_host_leaves_its_agents_alone_and_is_watched() -> None:
    options = service("cw-host")

    assert options["KillMode"] == "process"
    assert options["OOMPolicy"] == "continue"
    assert int(options["WatchdogSec"]) > 60


def test_host_keeps_what_bubblewrap_needs() -> None:
    """A covered part of /proc, or a missing kind of namespace, and no agent can be walled in."""
    options = service("cw-host")

    covering = {"ProtectKernelTunables", "ProtectKernelLogs", "ProtectProc", "ProcSubset"}
    assert not covering & set(options)
    assert {"user", "mnt", "pid", "ipc", "uts", "net"} <= set(options["RestrictNamespaces"].split())
    assert "MemoryDenyWriteExecute" not in options


def test_units_are_those_of_the_installer() -> None:
    text = (ROOT / "deploy" / "install.sh").read_text(encoding="utf-8")

    assert f"ALL=({' '.join(sorted(NAMES, key=text.index))})" in text
