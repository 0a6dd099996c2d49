"""git behind the wall sees all that it needs of a repository on this machine, and no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.operations.dispatch.local_source import check_source
from cw.redaction.redact import redactor
from cw.settings import Settings
from tests.integration.cloning import Worker, commit, push, run
from tests.needs import need, require
from tests.standins.sources import REFUSED, WORK, Maker, git, of_another_user, plain, shared
from tests.walls import WALLS
from workerhost.clones import evidence
from workerhost.clones.evidence import Pushed
from workerhost.clones.preparing import prepare
from workerhost.clones.quarantine import quarantined
from workerhost.settling.breaches import exposure
from workerhost.walls.source import shown


@pytest.mark.parametrize("make", WORK.values(), ids=WORK)
def test_host_clones_source_of_any_shape_behind_the_wall_and_pushes_to_it(
    tmp_path: Path, make: Maker
) -> None:
    require(WALLS, "bubblewrap and socat that work")
    worker, repo = Worker.make(tmp_path), make(tmp_path).resolve()  # as a dispatch has it
    spec = worker.path_spec(repo)

    check_source(repo, (worker.settings.workers_root,))
    place = prepare(worker.git(spec), spec, resume=False)
    sha = commit(place.clone, "new.txt")
    pushed = push(worker.git(spec), place)

    assert pushed == Pushed()
    assert git(repo, "rev-parse", place.branch) == sha
    prepare(worker.git(spec), spec, resume=False)  # which fetches


@pytest.mark.parametrize("make", REFUSED, ids=lambda one: one.__name__)
def test_source_that_git_cannot_use_is_refused_before_the_run(tmp_path: Path, make: Maker) -> None:
    need("git")
    require(make is not of_another_user or os.geteuid() == 0, "root")
    if REFUSED[make] in {"no letters", "It lies in one"}:
        pytest.skip("known by its name alone")

    with pytest.raises(BadInputError) as caught:
        check_source(make(tmp_path), ())

    assert REFUSED[make] in caught.value.line()


def test_push_writes_to_nothing_that_the_source_borrows(tmp_path: Path) -> None:
    settings = Settings(workers_root=tmp_path / "workers")

    found = shown(shared(tmp_path), settings)

    assert found.written == (tmp_path / "borrower" / ".git",)
    assert found.read == (tmp_path / "app" / ".git" / "objects",)


def test_working_tree_of_a_worktree_is_not_shown(tmp_path: Path) -> None:
    settings = Settings(workers_root=tmp_path / "workers")
    git(plain(tmp_path), "worktree", "add", "-q", str(tmp_path / "tree"))

    found = shown(tmp_path / "tree", settings)

    assert found.all == (tmp_path / "tree" / ".git", tmp_path / "app" / ".git")


@pytest.mark.parametrize("lender", ["workers/01", "state", "."])
def test_source_that_would_show_what_stays_apart_is_refused(tmp_path: Path, lender: str) -> None:
    folder = tmp_path / lender
    for name in ("pack", "info"):
        (folder / name).mkdir(parents=True)
    repo = plain(tmp_path)
    (repo / ".git" / "objects" / "info" / "alternates").write_text(f"{folder}\n", "utf-8")

    with pytest.raises(BadInputError, match=r"no agent is shown|would show"):
        check_source(repo, (tmp_path / "workers", tmp_path / "state"))


def test_clone_shares_no_file_with_its_source(tmp_path: Path) -> None:
    """Not even without walls: an agent could write into the objects of a person."""
    worker, repo = Worker.make(tmp_path), plain(tmp_path)
    spec = worker.path_spec(repo)

    place = prepare(worker.git(spec), spec, resume=False)

    assert not list(place.clone.rglob("alternates"))
    files = [one for one in place.clone.rglob("*") if one.is_file()]
    assert {one.stat().st_nlink for one in files} == {1}


def test_commits_named_by_sha256_are_searched_for_secrets(tmp_path: Path) -> None:
    worker, repo = Worker.make(tmp_path), WORK["sha256"](tmp_path)
    spec = worker.path_spec(repo)
    place = prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "new.txt", "the password is hunter2-hunter2\n")

    with quarantined(worker.git(spec), place) as box:
        state = evidence.inspect(box)
        clean = exposure(box, state, redactor({}))
        found = exposure(box, state, redactor({"MY_TOKEN": "hunter2-hunter2"}))

    assert clean is None
    assert found is not None
    assert found.reason == "secret_committed"
    assert run(place.clone, "rev-parse", "--show-object-format") == "sha256"
