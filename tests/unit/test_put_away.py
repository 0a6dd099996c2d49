"""Conversations that are over: into one file, without secrets, and nothing else with them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from cw.homes.layout import Home
from cw.redaction.redact import redactor
from workerhost.claude.runner import CLAUDE
from workerhost.runs.put_away import put_away

SESSION = "0b5d6a3e-6a55-4a3c-9d0e-2f7a0d9f5f11"
SECRET = "ghp_" + "a1B2" * 9
CLEAN = redactor({"GH_TOKEN": SECRET})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "01")
    for folder in (home.completed, home.claude):
        folder.mkdir(parents=True)
    return home


def parts(home: Home) -> tuple[Path, ...]:
    return CLAUDE.conversation(home, home.clones / "acme" / "app", SESSION)


def filled(home: Home) -> tuple[Path, Path, Path]:
    transcript, beside, todos = parts(home)
    for path in (transcript, beside / "subagents" / "agent-1.jsonl", todos / "1.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.name} {SECRET}\n", "utf-8")
    return transcript, beside, todos


def target(home: Home) -> Path:
    return home.completed / "acme-app-22-20260101T000000Z.session.tar.gz"


def packed(home: Home) -> dict[str, str]:
    with tarfile.open(target(home)) as tar:
        files = {one.name: tar.extractfile(one) for one in tar.getmembers()}
        return {name: file.read().decode() for name, file in files.items() if file}


def test_all_of_it_is_in_one_file_without_secrets(home: Home) -> None:
    transcript, _, _ = filled(home)
    other = transcript.with_name("other.jsonl")
    other.write_text("another conversation", "utf-8")

    assert put_away(home, parts(home), target(home), CLEAN) == ""

    found = packed(home)
    assert {Path(name).name for name in found} == {"1.json", "agent-1.jsonl", transcript.name}
    assert all(Path(name).parts[0] == ".claude" for name in found)
    assert SECRET not in "".join(found.values())
    assert target(home).stat().st_mode & 0o777 == 0o600
    assert [path for path in parts(home) if path.exists()] == []
    assert [path.name for path in home.completed.iterdir()] == [target(home).name]
    assert other.exists()


def test_one_that_was_cut_short_is_ended_by_the_next(home: Home) -> None:
    """Killed while it packed, or while it took away."""
    transcript, beside, _ = filled(home)
    target(home).with_name(f".{target(home).name}.part").write_bytes(b"half")
    assert put_away(home, parts(home), target(home), CLEAN) == ""
    whole = target(home).read_bytes()
    beside.mkdir()
    (beside / "left").write_text("x", "utf-8")

    assert put_away(home, parts(home), target(home), CLEAN) == ""

    assert target(home).read_bytes() == whole
    assert not beside.exists()
    assert not transcript.exists()


def test_nothing_is_made_of_nothing(home: Home) -> None:
    assert put_away(home, parts(home), target(home), CLEAN) == ""
    assert not target(home).exists()


def test_links_and_pipes_of_an_agent_lead_nowhere(home: Home, tmp_path: Path) -> None:
    transcript, beside, todos = filled(home)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "login").write_text("login", "utf-8")
    (beside / "link").symlink_to(outside / "login")
    (beside / "folder").symlink_to(outside)
    os.mkfifo(beside / "pipe")
    transcript.unlink()
    transcript.symlink_to(outside / "login")
    todos.joinpath("1.json").unlink()
    todos.rmdir()
    todos.symlink_to(outside)

    assert put_away(home, parts(home), target(home), CLEAN) == ""

    assert [Path(name).name for name in packed(home)] == ["agent-1.jsonl"]
    assert not beside.exists()
    assert (outside / "login").read_text("utf-8") == "login"


def test_what_is_too_large_stays(home: Home) -> None:
    transcript, beside, todos = filled(home)
    with transcript.open("r+b") as file:
        file.truncate((1 << 30) + 1)  # a hole

    assert "larger than 1 GB" in put_away(home, parts(home), target(home), CLEAN)

    assert all(path.exists() for path in (transcript, beside, todos))
    assert list(home.completed.iterdir()) == []
