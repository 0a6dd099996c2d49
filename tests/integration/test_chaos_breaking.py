"""The gate breaks clones that its agents have broken before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.chaos.breaking import ALL, spoiled
from bench.chaos.kinds import BREAKS
from tests.integration.cloning import commit, run
from tests.integration.spoiling import shell
from tests.needs import require


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    made = tmp_path / "org" / "app"
    made.mkdir(parents=True)
    run(made, "init", "-q")
    (made / "run.sh").write_text("#!/bin/sh\n", "utf-8")
    commit(made, "README.md")
    return made


@pytest.mark.parametrize("name", ALL)
def test_whole_clone_can_be_broken_in_each_way(clone: Path, name: str) -> None:
    assert spoiled(clone, name)


NEEDS_GIT = {"sparse checkout", "skip-worktree", "detached"}
NO_ROOM = {
    "git config core.bare true": NEEDS_GIT,
    "echo '[broken' >>.git/config": {*NEEDS_GIT, "bare", "work tree elsewhere"},
    "rm .git/config": {"no configuration"},
    "touch .git/index.lock .git/HEAD.lock .git/config.lock .git/packed-refs.lock": {
        *NEEDS_GIT,
        "bare",
        "work tree elsewhere",
    },
    "git update-index --skip-worktree README.md; rm README.md": {
        "skip-worktree",
        "link in place of a file",
    },
    "mkfifo pipe; rm run.sh; mkfifo run.sh": {"pipe"},
}


def test_checkout_that_was_cut_off_leaves_no_room_for_what_needs_its_files(clone: Path) -> None:
    (clone / "run.sh").unlink()

    assert not spoiled(clone, "pipe")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("script", BREAKS)
def test_clone_that_its_agent_broke_is_broken_further_where_there_is_room(
    clone: Path, script: str, name: str
) -> None:
    require(os.geteuid() == 0 or "chmod" not in script, "root, whom rights do not hold")
    shell(script)(clone)

    assert spoiled(clone, name) == (name not in NO_ROOM.get(script, ()))
