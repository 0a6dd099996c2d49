"""The host's mirror of a repository: made by itself, mended by itself, as the remote is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cw.errors import CwError
from tests.integration.cloning import REPO, Worker, commit, inspect, push, run
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing
from workerhost.clones.evidence import Pushed


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    return Worker.make(tmp_path, hub)


def mirror_of(worker: Worker) -> Path:
    (found,) = (worker.settings.state_dir / "git" / "mirrors").iterdir()
    return found


def prepared(worker: Worker, issue: int = 22) -> Path:
    spec = worker.spec(issue=issue)
    return preparing.prepare(worker.git(spec), spec, resume=False).clone


def test_clone_shares_no_file_with_the_mirror(worker: Worker) -> None:
    """An agent could write into it."""
    clone = prepared(worker)

    files = [one for one in mirror_of(worker).rglob("*") if one.is_file()]

    assert files
    assert {one.stat().st_nlink for one in files} == {1}
    assert run(clone, "config", "remote.origin.url") == worker.spec().repo_url


@pytest.mark.parametrize("shared", [False, True], ids=["", "made-by-a-cw-of-before"])
def test_folders_of_a_mirror_are_open_and_ask_for_no_group(
    worker: Worker, hub: GitHubStandIn, shared: bool
) -> None:
    """The systemd unit lets nobody set the bit (RestrictSUIDSGID); the agents' user reads there."""
    before = os.umask(0o077)  # a host's
    try:
        prepared(worker)
        mirror = mirror_of(worker)
        if shared:
            run(mirror, "config", "core.sharedRepository", "0644")
            hub.add_commit(REPO, "more", {"more.txt": "1"})
            prepared(worker, issue=23)
    finally:
        os.umask(before)

    made = [mirror, *(one for one in mirror.rglob("*") if one.is_dir())]
    modes = {one.relative_to(mirror): one.stat().st_mode for one in made}
    assert [name for name, mode in modes.items() if mode & stat.S_ISGID] == []
    assert [name for name, mode in modes.items() if mode & 0o055 != 0o055] == []


@pytest.mark.parametrize("used", [False, True], ids=["new-clone", "used-clone"])
def test_damaged_mirror_is_made_again_and_no_clone_is_lost(
    worker: Worker, hub: GitHubStandIn, used: bool
) -> None:
    prepared(worker)
    if not used:
        worker.home.clones.rename(worker.home.path / "away")
    mirror = mirror_of(worker)
    for one in [*mirror.rglob("objects/*/*")]:
        if one.is_file() and one.suffix != ".keep" and one.parent.name != "info":
            one.chmod(0o600)
            one.write_bytes(b"")
    hub.add_commit(REPO, "main", {"moved.txt": "1"})

    clone = prepared(worker, issue=23)

    assert run(clone, "status", "--porcelain") == ""
    assert run(mirror, "fsck", "--connectivity-only") == ""
    assert not (worker.home.path / "set-aside").exists()


def test_mirror_is_of_no_use_to_who_is_not_let_in(worker: Worker, hub: GitHubStandIn) -> None:
    prepared(worker)
    hub.fault(path_regex="info/refs", status=403, times=None)
    other = Worker.make(worker.home.path.parent.parent / "other", hub)

    with pytest.raises(CwError):
        prepared(Worker(other.home, worker.settings, hub))


def test_branches_and_tags_follow_the_remote(worker: Worker, hub: GitHubStandIn) -> None:
    hub.add_commit(REPO, "gone", {"x.txt": "1"})
    prepared(worker)
    login = "http.extraHeader=Authorization: Bearer bot-token"
    clone = prepared(worker)
    run(clone, "-c", login, "push", "-q", "origin", ":gone", "HEAD:refs/tags/v1")
    hub.add_commit(REPO, "new", {"y.txt": "1"})

    clone = prepared(worker, issue=23)

    remotes = run(clone, "for-each-ref", "--format=%(refname)", "refs/remotes").split()
    assert "refs/remotes/origin/new" in remotes
    assert "refs/remotes/origin/gone" not in remotes
    assert run(clone, "tag") == "v1"


def test_shallow_repository_of_this_machine_is_worked_on(
    worker: Worker, git_repo: Path, tmp_path: Path
) -> None:
    commit(git_repo, "second.txt")
    source = tmp_path / "shallow"
    run(tmp_path, "clone", "-q", "--depth=1", f"file://{git_repo}", str(source))
    run(source, "checkout", "-q", "--detach")
    for number in (1, 2):
        spec = worker.path_spec(source)
        git = worker.git(spec)
        if number == 1:
            run(source, "checkout", "-q", "main")
        place = preparing.prepare(git, spec, resume=False)
        head = commit(place.clone, f"fix-{number}.txt")

        assert inspect(git, place).head == head
        assert push(git, place) == Pushed()
