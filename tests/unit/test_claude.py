"""Which claude is taken, and which is too old."""

import stat
from importlib.util import find_spec
from pathlib import Path

import pytest

from cw.errors import BadInputError, CwError
from cw.settings import Settings
from tests.needs import require
from workerhost.claude.binary import claude_version, find_claude, new_enough


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(stat.S_IRWXU)
    return path


def test_setting_wins_over_path(tmp_path: Path) -> None:
    mine = program(tmp_path / "mine" / "claude-x", "")
    other = program(tmp_path / "bin" / "claude", "")
    environ = {"PATH": str(other.parent)}

    assert find_claude(Settings(claude=str(mine)), environ) == mine
    assert find_claude(Settings(), environ) == other


def test_setting_that_is_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claude").write_text("not executable", "utf-8")

    with pytest.raises(BadInputError, match="CW_CLAUDE"):
        find_claude(Settings(claude=str(tmp_path / "claude")), {"PATH": str(tmp_path)})


def test_bundled_one_is_the_last_resort(tmp_path: Path) -> None:
    require(find_spec("claude_agent_sdk"), "claude-agent-sdk")

    found = find_claude(Settings(), {"PATH": str(tmp_path)})

    assert found.match("claude_agent_sdk/_bundled/claude")


def test_version_is_read(tmp_path: Path) -> None:
    assert claude_version(program(tmp_path / "c", "echo '2.1.330 (Claude Code)'")) == "2.1.330"


@pytest.mark.parametrize("script", ["echo hello", "echo 2.1.330; exit 1", "exit 0"])
def test_version_that_is_not_said_is_an_error(tmp_path: Path, script: str) -> None:
    with pytest.raises(CwError, match="says nothing usable"):
        claude_version(program(tmp_path / "c", script))


def test_program_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CwError, match="does not start"):
        claude_version(tmp_path / "none")


@pytest.mark.parametrize(
    ("version", "enough"),
    [("2.1.202", True), ("2.1.330", True), ("2.2.0", True), ("2.1.201", False), ("1.9.9", False)],
)
def test_oldest_version(version: str, enough: bool) -> None:
    assert new_enough(version) is enough
