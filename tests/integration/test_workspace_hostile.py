"""A clone belongs to the agent that works in it: its configuration reaches nothing outside."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cw.errors import WorkspaceError
from tests.integration.cloning import REPO, Worker, commit, inspect, push, run
from tests.needs import require
from tests.standins.github import GitHubStandIn
from tests.walls import WALLS
from workerhost.clones import preparing, workspace
from workerhost.clones.evidence import Pushed
from workerhost.clones.lens import lens

# Run by git as programs, each in its own situation.
HOSTILE = {
    "core.fsmonitor": "{0}",
    "core.sshCommand": "{0}",
    "core.pager": "{0}",
    "core.editor": "{0}",
    "core.gitProxy": "{0}",
    "core.alternateRefsCommand": "{0}",
    "credential.helper": "!{0}",
    "diff.external": "{0}",
    "filter.evil.clean": "{0}; cat",
    "filter.evil.smudge": "{0}; cat",
    "merge.evil.driver": "{0}",
    "gpg.program": "{0}",
    "commit.gpgSign": "true",
    "push.gpgSign": "if-asked",
    "remote.origin.uploadpack": "{0}; git-upload-pack",
    "remote.origin.receivepack": "{0}; git-receive-pack",
    "uploadpack.packObjectsHook": "{0}",
    "alias.status": "!{0}",
}


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    require(WALLS, "a bwrap that works")
    return Worker.make(tmp_path, hub)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A folder of the machine that the hostile programs write into."""
    folder = tmp_path / "canary"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def poison(clone: Path, home: Path, canary: Path) -> None:
    """Programs that note inside HOME that they ran, and try to write outside."""
    script = home / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {home}/ran-$$ {canary}/escaped\n", "utf-8")
    script.chmod(0o755)
    for name, value in HOSTILE.items():
        run(clone, "config", name, value.format(script))
    hooks = clone / ".git" / "hooks"
    shutil.rmtree(hooks, ignore_errors=True)
    hooks.mkdir()
    for name in ("post-checkout", "pre-push", "reference-transaction", "post-index-change"):
        shutil.copy(script, hooks / name)
    (clone / ".gitattributes").write_text("* filter=evil merge=evil diff=evil\n", "utf-8")


def test_configuration_of_the_clone_runs_nothing_outside(
    worker: Worker, canary: Path, hub: GitHubStandIn
) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    head = commit(place.clone, "fix.txt")
    poison(place.clone, worker.home.path, canary)

    git = worker.git(spec)
    state = inspect(git, place)
    pushed = push(git, place)
    workspace.save_work(git, place.clone, "wip")
    workspace.summary(git, place)
    preparing.prepare(git, spec, resume=True)
    again = worker.spec(issue=23)
    preparing.prepare(worker.git(again), again, resume=False)

    assert (state.head, state.commits, pushed) == (head, 1, Pushed())
    assert hub.heads(REPO)["issue-22"] == head
    assert list(worker.home.path.glob("ran-*")) == []


def test_refs_that_stand_for_others_are_taken_for_what_they_lead_to(
    worker: Worker, hub: GitHubStandIn
) -> None:
    place = preparing.prepare(worker.git(worker.spec()), worker.spec(), resume=False)
    run(place.clone, "branch", "evil")
    commit(place.clone, "fix.txt")
    for ref in ("refs/remotes/origin/main", "refs/heads/issue-23"):
        run(place.clone, "symbolic-ref", ref, "refs/heads/evil")
    again = worker.spec(issue=23)

    place = preparing.prepare(worker.git(again), again, resume=False)

    main = hub.heads(REPO)["main"]
    assert (place.base_sha, run(place.clone, "rev-parse", "issue-23")) == (main, main)
    assert inspect(worker.git(again), place).commits == 0


@pytest.mark.parametrize("name", ["github", "github/acme", "github/acme/app", "tmp"])
def test_link_that_leads_out_of_home_is_not_used(worker: Worker, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("x", "utf-8")
    path = worker.home.path / name
    if path.is_dir():
        path.rmdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside)
    spec = worker.spec()

    with pytest.raises(WorkspaceError, match="leads out"):
        preparing.prepare(worker.git(spec), spec, resume=False)

    assert [one.name for one in outside.iterdir()] == ["keep"]


def test_tmp_that_became_a_link_is_of_no_concern_to_the_push(
    worker: Worker, tmp_path: Path
) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "fix.txt")
    outside = tmp_path / "outside"
    outside.mkdir()
    worker.home.tmp.rmdir()
    worker.home.tmp.symlink_to(outside)

    assert push(worker.git(spec), place) == Pushed()
    assert list(outside.iterdir()) == []


def test_repository_on_this_machine_keeps_its_branch_and_its_working_tree(
    worker: Worker, git_repo: Path
) -> None:
    (git_repo / "draft.txt").write_text("not committed", "utf-8")
    before = (run(git_repo, "rev-parse", "HEAD"), run(git_repo, "status", "--porcelain"))
    spec = worker.path_spec(git_repo)
    git = worker.git(spec)
    place = preparing.prepare(git, spec, resume=False)
    head = commit(place.clone, "fix.txt")

    said = push(git, place)

    assert said == Pushed()
    assert run(git_repo, "rev-parse", spec.branch) == head
    assert run(git_repo, "symbolic-ref", "--short", "HEAD") == "main"
    assert (run(git_repo, "rev-parse", "HEAD"), run(git_repo, "status", "--porcelain")) == before
    assert not (place.clone / "draft.txt").exists()


def test_repository_on_this_machine_is_not_in_sight_of_git_in_the_clone(
    worker: Worker, git_repo: Path
) -> None:
    spec = worker.path_spec(git_repo)
    git = worker.git(spec)
    place = preparing.prepare(git, spec, resume=False)

    with lens(git, place.clone) as seen:
        refused = seen.run("push", str(git_repo), "HEAD:refs/heads/by-the-agent")

    assert not refused.ok
    assert run(git_repo, "branch", "--format=%(refname:short)") == "main"


def test_hooks_of_the_repository_do_not_reach_the_machine(
    worker: Worker, git_repo: Path, canary: Path
) -> None:
    hook = git_repo / ".git" / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {canary}/escaped\n", "utf-8")
    hook.chmod(0o755)
    spec = worker.path_spec(git_repo)
    git = worker.git(spec)
    place = preparing.prepare(git, spec, resume=False)
    head = commit(place.clone, "fix.txt")

    push(git, place)

    assert run(git_repo, "rev-parse", spec.branch) == head
