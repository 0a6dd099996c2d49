"""Kind: a used clone is trusted to be usable. The next task finds it as if it were new, or has a
new one; nothing that was only there is lost.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cw.homes.owner import give_tree
from tests.integration.cloning import Worker, commit, inspect, run
from tests.integration.spoiling import HEALED, SET_ASIDE, shell
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing, workspace
from workerhost.clones.workspace import Workspace


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    return Worker.make(tmp_path, hub)


@dataclass(frozen=True)
class Seen:
    """What a plain git, an agent's, sees in a clone."""

    files: list[str]
    settings: list[str]
    flags: str
    status: str
    state: set[str]
    remotes: str


def seen_by_agent(clone: Path) -> Seen:
    internal = {one.name for one in (clone / ".git").iterdir()}
    ours = {"refs", "objects", "index", "HEAD", "config", "info", "hooks", "packed-refs", "logs"}
    passing = {"FETCH_HEAD", "ORIG_HEAD", "COMMIT_EDITMSG", "description", "commondir", "lfs"}
    return Seen(
        sorted(one.name for one in clone.iterdir() if one.name != ".git"),
        sorted(run(clone, "config", "--local", "--list").splitlines()),
        run(clone, "ls-files", "-v"),
        run(clone, "status", "--porcelain=v2", "--branch"),
        internal - ours - passing,
        run(clone, "remote", "-v"),
    )


def next_task(worker: Worker) -> Workspace:
    spec = worker.spec(issue=2)
    return preparing.prepare(worker.git(spec), spec, resume=False)


def used(worker: Worker) -> tuple[Workspace, str]:
    """After a first task, whose commit was not pushed, and its draft not committed."""
    spec = worker.spec(issue=1)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    sha = commit(place.clone, "of-the-first.txt")
    (place.clone / "draft.txt").write_text("draft", "utf-8")
    give_tree(place.clone)
    return place, sha


def works(worker: Worker, place: Workspace, hub: GitHubStandIn) -> None:
    """As in a clone that was never used; and an agent can commit in it."""
    other = Worker.make(worker.home.path.parent.parent / "other", hub)
    new = next_task(other)
    assert seen_by_agent(place.clone) == seen_by_agent(new.clone)
    (place.clone / "work.txt").write_text("x", "utf-8")
    run(place.clone, "add", "--all")
    run(place.clone, "commit", "-q", "-m", "Work")
    assert run(place.clone, "show", "--name-only", "--format=%ae") == (
        "agent@example.invalid\n\nwork.txt"
    )
    state = inspect(worker.git(worker.spec(issue=2)), place)
    assert (state.commits, state.dirty, state.unjudged) == (1, False, None)


def kept_aside(worker: Worker) -> list[Path]:
    folder = worker.home.path / "set-aside"
    return list(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("name", HEALED)
def test_used_clone_is_as_if_new(worker: Worker, hub: GitHubStandIn, name: str) -> None:
    before, sha = used(worker)
    HEALED[name](before.clone)

    place = next_task(worker)

    assert place.notes == ()
    assert sha in run(place.clone, "rev-list", "--all")
    refs = run(place.clone, "for-each-ref", "--format=%(refname)", "refs/cw/wip").splitlines()
    drafts = [ref for ref in refs if "draft.txt" in run(place.clone, "ls-tree", "--name-only", ref)]
    assert drafts or name == "everything deleted"
    works(worker, place, hub)


@pytest.mark.parametrize("name", SET_ASIDE)
def test_clone_that_cannot_be_healed_is_kept_and_made_anew(
    worker: Worker, hub: GitHubStandIn, name: str
) -> None:
    before, _ = used(worker)
    SET_ASIDE[name](before.clone)

    place = next_task(worker)

    (kept,) = kept_aside(worker)
    assert str(kept) in place.notes[0]
    assert (kept / "draft.txt").read_text("utf-8") == "draft"
    works(worker, place, hub)


def test_work_of_a_clone_that_is_set_aside_is_in_the_new_one(worker: Worker) -> None:
    before, sha = used(worker)
    SET_ASIDE["broken ref"](before.clone)

    place = next_task(worker)

    assert kept_aside(worker)
    assert sha in run(place.clone, "rev-list", "--glob=refs/cw/wip/*")
    assert "refs/cw/wip/" in place.notes[0]
    assert place.rescued
    assert all(ref in place.notes[0] for ref in place.rescued)
    shown = run(place.clone, "log", "--format=%H", "--glob=refs/cw/wip/*", "--", "draft.txt")
    assert shown


def test_what_lay_in_another_repository_within_is_kept(worker: Worker) -> None:
    before, _ = used(worker)
    HEALED["another repository within"](before.clone)

    next_task(worker)

    (kept,) = kept_aside(worker)
    assert (kept / "draft.txt").read_text("utf-8") == "draft"


def test_changes_under_flags_of_the_index_are_changes(worker: Worker) -> None:
    for name in ("skip-worktree, changed", "assume-unchanged, changed"):
        spec = worker.spec(issue=1)
        place = preparing.prepare(worker.git(spec), spec, resume=False)
        HEALED[name](place.clone)

        assert inspect(worker.git(spec), place).dirty
        kept = workspace.save_work(worker.git(spec), place.clone, "x")
        assert run(place.clone, "show", f"{kept}:README.md") == "new"


def test_files_that_a_sparse_checkout_leaves_out_are_no_changes(worker: Worker) -> None:
    spec = worker.spec(issue=1)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    HEALED["sparse checkout"](place.clone)
    HEALED["skip-worktree"](place.clone) if (place.clone / "README.md").exists() else None

    assert not inspect(worker.git(spec), place).dirty


def test_stubs_of_a_sandbox_are_nobody_s_work(worker: Worker) -> None:
    spec = worker.spec(issue=1)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    HEALED["stubs"](place.clone)
    (place.clone / ".nojekyll").touch()

    assert workspace.summary(worker.git(spec), place).endswith("?? .nojekyll")
    assert inspect(worker.git(spec), place).dirty
    (place.clone / ".nojekyll").unlink()
    HEALED["stubs"](place.clone)
    assert not inspect(worker.git(spec), place).dirty


def test_all_of_a_stash_stays_reachable(worker: Worker) -> None:
    before, _ = used(worker)
    HEALED["stash"](before.clone)

    place = next_task(worker)

    texts = {
        run(place.clone, "show", f"{ref}:README.md")
        for ref in run(place.clone, "for-each-ref", "--format=%(refname)").splitlines()
    }
    assert {"one", "two"} <= texts
    assert run(place.clone, "stash", "list") == ""


def test_nothing_outside_the_clone_was_changed(worker: Worker, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x", "utf-8")
    outside.chmod(0o500)
    before, _ = used(worker)
    shell(
        f"ln -s {outside} link; ln -s {outside}/file file; mkdir m; ln -s {outside} m/x;"
        " chmod 000 m"
    )(before.clone)

    next_task(worker)

    assert outside.stat().st_mode & 0o777 == 0o500
    assert (outside / "file").read_text("utf-8") == "x"


@pytest.mark.parametrize("resume", [False, True])
def test_what_git_writes_where_it_lies_can_be_written_again(worker: Worker, resume: bool) -> None:
    """Of modes: to root, who runs this test, everything can be written."""
    before, _ = used(worker)
    HEALED["read-only .git"](before.clone)

    spec = worker.spec(issue=1 if resume else 2)
    theirs = preparing.prepare(worker.git(spec), spec, resume=resume).clone / ".git"

    files = [one for one in (theirs / "logs").rglob("*") if one.is_file()]
    assert len(files) > 1
    for one in (theirs / "COMMIT_EDITMSG", *files):
        assert one.stat().st_mode & 0o600 == 0o600, one


def test_agent_may_go_on_in_a_clone_that_it_spoiled(worker: Worker) -> None:
    for name in ("read-only clone", "broken configuration", "bare", "index of rubbish"):
        spec = worker.spec(issue=1)
        place = preparing.prepare(worker.git(spec), spec, resume=False)
        sha = commit(place.clone, f"{name}.txt")
        HEALED[name](place.clone)

        place = preparing.prepare(worker.git(spec), spec, resume=True)

        assert run(place.clone, "rev-parse", "HEAD") == sha
        subprocess.run(["git", "-C", str(place.clone), "status"], check=False)


# What an agent is in the middle of, or has set up for itself: it goes on with that.
ITS_OWN = {"merge under way", "rebase under way", "hook", "excludes", "signing"}


@pytest.mark.parametrize("name", sorted(HEALED.keys() - ITS_OWN))
def test_resumed_task_can_commit_again(worker: Worker, name: str) -> None:
    before, _ = used(worker)
    HEALED[name](before.clone)
    spec = worker.spec(issue=1)

    place = preparing.prepare(worker.git(spec), spec, resume=True)

    (place.clone / "more.txt").write_text("x", "utf-8")
    run(place.clone, "add", "more.txt")
    run(place.clone, "commit", "-q", "-m", "More")
    assert "more.txt" in run(place.clone, "show", "--name-only", "--format=").splitlines()
