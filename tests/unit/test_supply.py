"""What is installed is what was meant: pinned, with hashes, and audited or said not to be."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from bench import audited
from cw.services import verified
from cw.services.installed import Installed

DEPLOY = Path(__file__).parents[2] / "deploy"
LISTS = ("requirements.txt", "claude.txt", "build.txt")


@pytest.mark.parametrize("name", LISTS)
def test_every_package_is_pinned_and_has_hashes(name: str) -> None:
    text = (DEPLOY / name).read_text("utf-8").replace("\\\n", " ")
    lines = [one for one in text.splitlines() if one and not one.startswith("#")]

    assert lines
    for line in lines:
        assert re.match(r"[a-z0-9-]+==[\w.]+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), line


@pytest.mark.parametrize("name", LISTS)
def test_no_index_is_named(name: str) -> None:
    assert "://" not in (DEPLOY / name).read_text("utf-8")


@pytest.mark.parametrize("name", ["Dockerfile", "install.sh"])
def test_nothing_is_installed_without_its_hash(name: str) -> None:
    """But the wheel that is built there from the checkout itself."""
    text = (DEPLOY / name).read_text("utf-8").replace("\\\n", " ")
    commands = re.findall(r"pip(?:\[@\]\}\")? (?:install|wheel)[^&\n]*", text)

    assert len(commands) >= 3
    for one in commands:
        own = "--no-build-isolation" in one or "/tmp/wheel" in one
        assert "--require-hashes" in one or own, one
        assert "--no-deps" in one, one


def answer(*rows: dict[str, object]) -> str:
    return json.dumps({"dependencies": [{"version": "1", **one} for one in rows], "fixes": []})


def test_known_vulnerability_is_red() -> None:
    vuln = {"id": "PYSEC-1", "fix_versions": ["2"]}

    code, lines = audited.judge(
        answer({"name": "a", "vulns": []}, {"name": "b", "vulns": [vuln]}), ""
    )

    assert code == 1
    assert lines == ["b 1: PYSEC-1, mended in 2"]


def test_service_that_is_away_is_said_loudly_and_is_not_red() -> None:
    for text, words in (("", "ConnectionError: refused\n"), ("", ""), ("<html>", "x")):
        code, lines = audited.judge(text, words)

        assert code == 0
        assert lines[0].startswith("NOT AUDITED")
    nobody = answer({"name": "a", "skip_reason": "not found"}, {"name": "b", "skip_reason": "x"})
    assert audited.judge(nobody, "")[1][0].startswith("NOT AUDITED")


def test_part_that_was_not_audited_is_red() -> None:
    code, lines = audited.judge(
        answer({"name": "a", "vulns": []}, {"name": "b", "skip_reason": "x"}), ""
    )

    assert code == 1
    assert "b" in lines[0]


def test_clean_list_is_green() -> None:
    assert audited.judge(answer({"name": "a", "vulns": []}), "") == (
        0,
        ["1 packages, no known vulnerability"],
    )


def test_lock_is_what_pip_is_told_to_require(tmp_path: Path) -> None:
    """pip reads hashes in a list also without the flag, but then only while each line has one."""
    with zipfile.ZipFile(tmp_path / "claude_workers-0.0.2-py3-none-any.whl", "w") as file:
        file.writestr("cw/requirements.txt", f"click==8.1 --hash=sha256:{'a' * 64}\n")
    here = Installed(tool="pip", prefix=tmp_path, python="python")

    fetched = verified.write_list(tmp_path)

    assert "--require-hashes" in verified.install(here, tmp_path)
    assert (fetched.version, fetched.packages) == ("0.0.2", 1)
    lines = (tmp_path / "requirements.txt").read_text("utf-8").splitlines()
    assert lines[0].startswith("click==8.1 --hash=")
    assert lines[1].endswith(f"--hash=sha256:{fetched.sha256}")
