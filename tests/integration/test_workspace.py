"""A worker's clone: fresh or kept, on its branch, with nothing ever lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from cw.errors import UnavailableError, WorkspaceError
from tests.integration.cloning import REPO, Worker, commit, inspect, push, run
from tests.standins.github import GitHubStandIn
from workerhost.clones import evidence, preparing, workspace
from workerhost.clones.evidence import Pushed
from workerhost.clones.quarantine import quarantined


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    return Worker.make(tmp_path, hub)


def head_of(at: Path) -> tuple[str, str]:
    return run(at, "symbolic-ref", "--short", "HEAD"), run(at, "rev-parse", "HEAD")


def test_first_task_clones_and_stands_on_its_branch(worker: Worker, hub: GitHubStandIn) -> None:
    spec = worker.spec()

    place = preparing.prepare(worker.git(spec), spec, resume=False)

    main = hub.heads(REPO)["main"]
    assert place.clone == worker.home.clones / "acme" / "app"
    assert (place.branch, place.base, place.base_sha) == ("issue-22", "main", main)
    assert head_of(place.clone) == ("issue-22", main)
    state = inspect(worker.git(spec), place)
    assert state == workspace.GitState(main, 0, dirty=False, remote_head="")
    assert list(worker.home.tmp.iterdir()) == []


def test_token_is_not_written_down(hub: GitHubStandIn, tmp_path: Path) -> None:
    hub.add_repo("acme/secret", private=True)
    hub.add_user("bot", "bot-token", {"acme/secret": "write"})
    worker = Worker.make(tmp_path, hub)
    spec = worker.spec(repo_url=f"{hub.url}/acme/secret.git", repo_folder="acme/secret")

    place = preparing.prepare(worker.git(spec), spec, resume=False)

    texts = [one.read_bytes() for one in (place.clone / ".git").rglob("*") if one.is_file()]
    assert texts
    assert b"bot-token" not in b"".join(texts)


def test_next_task_begins_at_the_moved_default_branch(worker: Worker, hub: GitHubStandIn) -> None:
    first, second = worker.spec(issue=1), worker.spec(issue=2)
    place = preparing.prepare(worker.git(first), first, resume=False)
    commit(place.clone, "of-the-first.txt")
    moved = hub.add_commit(REPO, "main", {"moved.txt": "x"})

    place = preparing.prepare(worker.git(second), second, resume=False)

    assert head_of(place.clone) == ("issue-2", moved)
    assert place.base_sha == moved
    assert not (place.clone / "of-the-first.txt").exists()


def test_branch_at_the_remote_is_continued(worker: Worker, hub: GitHubStandIn) -> None:
    theirs = hub.add_commit(REPO, "issue-22", {"theirs.txt": "x"})
    spec = worker.spec()

    place = preparing.prepare(worker.git(spec), spec, resume=False)

    assert head_of(place.clone) == ("issue-22", theirs)
    assert inspect(worker.git(spec), place).commits == 1


def test_uncommitted_work_is_kept_on_a_ref_before_the_clone_is_cleaned(worker: Worker) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    (place.clone / "README.md").write_text("changed", "utf-8")
    (place.clone / "new.txt").write_text("new", "utf-8")
    (place.clone / "staged.txt").write_text("staged", "utf-8")
    run(place.clone, "add", "staged.txt")

    again = worker.spec(issue=23)
    place = preparing.prepare(worker.git(again), again, resume=False)

    ref = f"refs/cw/wip/before-{again.id.lower()}"
    shown = {name: run(place.clone, "show", f"{ref}:{name}") for name in ("README.md", "new.txt")}
    assert shown == {"README.md": "changed", "new.txt": "new"}
    assert run(place.clone, "show", f"{ref}:staged.txt") == "staged"
    assert run(place.clone, "status", "--porcelain") == ""
    assert sorted(one.name for one in place.clone.iterdir()) == [".git", "README.md", "run.sh"]


def test_commits_that_were_never_pushed_stay_reachable(worker: Worker) -> None:
    first, again = worker.spec(), worker.spec()
    place = preparing.prepare(worker.git(first), first, resume=False)
    unpushed = commit(place.clone, "unpushed.txt")

    place = preparing.prepare(worker.git(again), again, resume=False)

    assert unpushed in run(place.clone, "for-each-ref", "refs/cw/wip")
    assert head_of(place.clone)[1] == place.base_sha


def test_resumed_task_finds_everything_as_it_was(worker: Worker, hub: GitHubStandIn) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    head = commit(place.clone, "done.txt")
    (place.clone / "half.txt").write_text("half", "utf-8")
    hub.add_commit(REPO, "main", {"moved.txt": "x"})

    place = preparing.prepare(worker.git(spec), spec, resume=True)

    assert head_of(place.clone) == ("issue-22", head)
    assert (place.clone / "half.txt").read_text("utf-8") == "half"
    said = workspace.summary(worker.git(spec), place)
    assert "Add done.txt" in said
    assert "half.txt" in said


def test_resumed_task_that_had_no_agent_yet_finds_its_branch_and_loses_nothing(
    worker: Worker,
) -> None:
    """Whatever happened to the clone in between."""
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    ours = commit(place.clone, "done.txt")
    run(place.clone, "checkout", "-q", "--detach")
    beside = commit(place.clone, "beside.txt")

    place = preparing.prepare(worker.git(spec), spec, resume=True, touched=False)

    assert head_of(place.clone) == ("issue-22", ours)
    assert run(place.clone, "for-each-ref", "--contains", beside, "refs/cw/wip")


def test_unfinished_merge_and_stale_locks_do_not_stop_the_next_task(
    worker: Worker, hub: GitHubStandIn
) -> None:
    spec, again = worker.spec(), worker.spec(issue=23)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "file.txt", "ours\n")
    run(place.clone, "checkout", "-q", "-b", "other", "HEAD~1")
    commit(place.clone, "file.txt", "theirs\n")
    with pytest.raises(Exception, match="merge"):
        run(place.clone, "merge", "issue-22")
    (place.clone / ".git" / "index.lock").touch()
    (place.clone / ".git" / "HEAD.lock").touch()
    (place.clone / ".git" / "refs" / "remotes" / "origin" / "main.lock").touch()
    (worker.home.path / "kept.lock").touch()
    (place.clone / ".git" / "info" / "out").symlink_to(worker.home.path)
    hub.add_commit(REPO, "main", {"new.txt": "so that the ref moves"})

    place = preparing.prepare(worker.git(again), again, resume=False)

    assert head_of(place.clone) == ("issue-23", hub.heads(REPO)["main"])
    assert run(place.clone, "status", "--porcelain") == ""
    assert (worker.home.path / "kept.lock").exists()


def test_clone_cut_short_is_made_again(worker: Worker) -> None:
    spec = worker.spec()
    (worker.home.clones / "acme" / "app" / "half").mkdir(parents=True)
    (worker.home.tmp / f"clone-{spec.id.lower()}").mkdir()

    place = preparing.prepare(worker.git(spec), spec, resume=False)

    assert (place.clone / "README.md").exists()
    assert not (place.clone / "half").exists()


def test_commits_are_pushed_from_a_repository_of_our_own(
    worker: Worker, hub: GitHubStandIn
) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    head = commit(place.clone, "fix.txt")

    said = push(worker.git(spec), place)

    assert said == Pushed()
    assert hub.heads(REPO)["issue-22"] == head
    assert inspect(worker.git(spec), place).remote_head == head
    assert list(worker.home.tmp.iterdir()) == []


def test_push_works_after_the_agent_removed_its_tmp(worker: Worker, hub: GitHubStandIn) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    head = commit(place.clone, "fix.txt")
    worker.home.tmp.rmdir()

    assert push(worker.git(spec), place) == Pushed()
    assert hub.heads(REPO)["issue-22"] == head


def test_commits_of_others_at_the_remote_are_never_overwritten(
    worker: Worker, hub: GitHubStandIn
) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "fix.txt")
    seen = inspect(worker.git(spec), place)
    theirs = hub.add_commit(REPO, "issue-22", {"theirs.txt": "x"})
    now = inspect(worker.git(spec), place)

    with quarantined(worker.git(spec), place) as box:
        assert not evidence.fast_forward(box, now)
    refused = push(worker.git(spec), place, seen)
    assert ("stale info" in refused.error, refused.away) == (True, False)
    assert hub.heads(REPO)["issue-22"] == theirs


def test_remote_head_is_asked_of_the_remote_not_of_the_clone(
    worker: Worker, tmp_path: Path
) -> None:
    """An agent that points `origin` at a copy has pushed nothing."""
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "fix.txt")
    fake = worker.home.path / "fake.git"
    run(tmp_path, "clone", "-q", "--bare", str(place.clone), str(fake))
    for at in (place.clone, worker.home.path):
        run(at, "init", "-q")
        run(at, "config", "remote.origin.url", str(fake))
        run(at, "config", f"url.{fake}.insteadOf", spec.repo_url)

    assert inspect(worker.git(spec), place).remote_head == ""


def test_fetch_ignores_where_an_earlier_agent_pointed_origin(
    worker: Worker, hub: GitHubStandIn
) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    run(place.clone, "remote", "set-url", "origin", str(place.clone))
    run(place.clone, "config", "--replace-all", "remote.origin.fetch", "+refs/x/*:refs/y/*")
    moved = hub.add_commit(REPO, "main", {"moved.txt": "x"})

    place = preparing.prepare(worker.git(spec), spec, resume=False)

    assert place.base_sha == moved


@pytest.mark.parametrize("status", [502, 503, 429])
def test_remote_that_is_away_is_told_from_one_that_refuses(
    worker: Worker, hub: GitHubStandIn, status: int
) -> None:
    hub.fault(path_regex=r"info/refs", status=status, times=None)
    spec = worker.spec()

    with pytest.raises(UnavailableError):
        preparing.prepare(worker.git(spec), spec, resume=False)
    hub.clear_faults()
    missing = worker.spec(repo_url=f"{hub.url}/acme/nothing.git")
    with pytest.raises(WorkspaceError):
        preparing.prepare(worker.git(missing), missing, resume=False)


def test_repository_without_a_commit_is_refused_in_words(worker: Worker, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    run(empty, "init", "-q", "--bare")
    spec = worker.path_spec(empty)

    with pytest.raises(WorkspaceError, match="empty"):
        preparing.prepare(worker.git(spec), spec, resume=False)


def test_run_without_a_clone_has_no_state(worker: Worker) -> None:
    """Cut off while it prepared; `Path("")` would be the host's own folder."""
    place = workspace.Workspace(Path(), "main", "main", "", "")

    found = inspect(worker.git(worker.spec()), place)

    assert found == workspace.GitState("", 0, dirty=False, remote_head=None)
    assert workspace.save_work(worker.git(worker.spec()), Path(), "x") == ""
