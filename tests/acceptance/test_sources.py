"""A repository on this machine is worked on whatever its shape, or refused in its own words before
an agent is started.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.acceptance.fleet import Fleet
from tests.needs import require
from tests.standins.sources import REFUSED, WORK, Maker, git, of_another_user, plain, worktree

COMMIT = "rehearse: pace 0.01\nrehearse: commit-only\n"
FETCH = "rehearse: pace 0.01\nrehearse: do git fetch -q origin\nrehearse: commit-only\n"


@pytest.fixture
def place() -> Iterator[Path]:
    """pytest's own folders are below /tmp, as these are; their names are too long for people."""
    folder = Path(tempfile.mkdtemp(prefix="cws-"))
    yield folder
    shutil.rmtree(folder)


def deliver(fleet: Fleet, repo: str, prompt: str = COMMIT) -> str:
    """The branch of a task that ended well."""
    said = fleet.json("dispatch", "-r", repo, "-p", prompt, "--mode", "update", "-w", "01")
    end = fleet.finished(said["task"])["outcome"]

    assert (end["kind"], end["commits"]) == ("succeeded", 1), end
    return str(said["branch"])


@pytest.mark.parametrize("make", WORK.values(), ids=WORK)
def test_source_of_any_shape_is_cloned_fetched_and_pushed_to(
    fleet: Fleet, place: Path, make: Maker
) -> None:
    repo = make(place)

    first = deliver(fleet, str(repo))
    second = deliver(fleet, str(repo), FETCH)

    branches = git(repo, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    assert {first, second} <= set(branches)
    assert git(repo, "log", "--format=%an", "-1", first) != "Person"


@pytest.mark.parametrize("make", REFUSED, ids=lambda one: one.__name__)
def test_source_that_cannot_be_worked_on_is_refused_in_its_own_words(
    fleet: Fleet, place: Path, make: Maker
) -> None:
    require(make is not of_another_user or os.geteuid() == 0, "root")

    done = fleet.cw("dispatch", "-r", str(make(place)), "-p", COMMIT)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert REFUSED[make] in done.stderr
    assert not {char for char in done.stderr.rstrip("\n") if not char.isprintable()}
    assert fleet.json("status")["waiting"] == []


@pytest.mark.parametrize("how", ["file://{}", "file://localhost{}"])
def test_file_url_is_read_as_git_reads_it(fleet: Fleet, place: Path, how: str) -> None:
    repo = plain(place, "an app #1?")

    branch = deliver(fleet, how.format(quote(str(repo))))

    assert git(repo, "rev-parse", branch)


@pytest.mark.parametrize("typed", ["file:app", "file://elsewhere/app", "file://", "file:///", "./"])
def test_what_names_no_repository_here_is_refused(fleet: Fleet, typed: str) -> None:
    done = fleet.cw("dispatch", "-r", typed, "-p", COMMIT)

    assert done.returncode == 2
    assert "is not a" in done.stderr


def test_source_that_agents_write_to_is_refused(fleet: Fleet) -> None:
    """It could name any folder of the machine as one that it borrows from."""
    repo = plain(fleet.worker("02"), "mine")

    done = fleet.cw("dispatch", "-r", str(repo), "-p", COMMIT)

    assert done.returncode == 2
    assert "no agent is shown" in done.stderr
    shutil.rmtree(repo)


def test_source_that_borrows_from_an_agents_folder_is_refused(fleet: Fleet, place: Path) -> None:
    lender = plain(fleet.worker("02"), "mine")
    git(place, "clone", "-q", "--shared", str(lender), "app")

    done = fleet.cw("dispatch", "-r", str(place / "app"), "-p", COMMIT)

    assert done.returncode == 2
    assert "no agent is shown" in done.stderr
    shutil.rmtree(lender)


def test_source_that_changed_after_its_dispatch_fails_with_its_own_words(
    fleet: Fleet, place: Path
) -> None:
    tree = worktree(place)
    fleet.ok("pause", "01")
    said = fleet.json("dispatch", "-r", str(tree), "-p", COMMIT, "-w", "01")
    (place / "app").rename(place / "moved")

    fleet.ok("resume", "01")
    end = fleet.finished(said["task"])["outcome"]

    assert end["kind"] == "failed"
    assert f"{tree} is not a git repository" in end["message"]
