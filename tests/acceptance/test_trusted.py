"""CW_TRUSTED_REPOS: the default branch's word counts, not that of an agent's branch."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet
from tests.integration.cloning import commit, run

REPO = "acme/app"
SHOW = "do tr '\\0' ' ' </proc/$PPID/cmdline >~/tmp/argv"


@pytest.fixture(scope="module")
def trusting() -> Iterator[Fleet]:
    with running_fleet(REHEARSAL, {"CW_TRUSTED_REPOS": REPO}) as fleet:
        yield fleet


def started(fleet: Fleet, number: int, *more: str) -> str:
    """Whose settings claude was started with for an issue."""
    task = fleet.json("dispatch", "-r", REPO, "-i", str(number), "-w", "01", *more)["task"]
    fleet.finished(task)
    argv = (fleet.worker("01") / "tmp" / "argv").read_text("utf-8")
    return argv.partition("--setting-sources ")[2].split()[0]


def test_settings_on_an_agents_branch_are_not_loaded(trusting: Fleet, tmp_path: Path) -> None:
    hub = trusting.github
    numbers = [hub.add_issue(REPO, "It breaks", f"rehearse: {SHOW}\nrehearse: push") for _ in "ab"]
    url = f"{hub.url}/{REPO}.git".replace("://", f"://x:{TOKEN}@")
    subprocess.run(["git", "clone", "-q", url, str(tmp_path / "app")], check=True)
    run(tmp_path / "app", "checkout", "-q", "-b", f"issue-{numbers[1]}")
    (tmp_path / "app" / ".claude").mkdir()
    commit(tmp_path / "app", ".claude/settings.json", "{}")
    run(tmp_path / "app", "push", "-q", "origin", "HEAD")

    assert started(trusting, numbers[0]) == "user,project"
    assert started(trusting, numbers[1], "--continue") == "user"
    log = (trusting.home / "state" / "logs" / "host.log").read_text("utf-8")
    assert f"{REPO} is not trusted in this run: .claude/settings.json is not as main has it" in log
