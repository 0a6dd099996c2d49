"""After its merge a task's branch goes from the clone, and nothing that was not pushed with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cw.homes.owner import give_tree
from tests.integration.cloning import Worker, commit, push, run
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing
from workerhost.clones.host_repositories import looking
from workerhost.clones.merged_branch import Merged, remove_branch
from workerhost.clones.workspace import Workspace, keep_commits, save_work
from workerhost.shutdown import HostLeavesError

BRANCH = "issue-22"


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    return Worker.make(tmp_path, hub)


@pytest.fixture
def place(worker: Worker) -> Workspace:
    """After a task whose commit was pushed."""
    spec = worker.spec()
    made = preparing.prepare(worker.git(spec), spec, resume=False)
    (made.clone / "build").mkdir()
    (made.clone / ".gitignore").write_text("build\n", "utf-8")
    run(made.clone, "add", ".gitignore")
    commit(made.clone, "work.txt")
    push(worker.git(spec), made)
    return made


def clear(worker: Worker, place: Workspace, head: str = "", **changed: Any) -> str:
    known: dict[str, Any] = {"clone": place.clone, "branch": place.branch, "base": place.base}
    merged = Merged(head=head or head_of(place), **(known | changed))
    return remove_branch(worker.git(worker.spec()), merged)


def head_of(place: Workspace) -> str:
    return run(place.clone, "rev-parse", f"refs/heads/{place.branch}")


def refs(place: Workspace, *below: str) -> list[str]:
    return run(place.clone, "for-each-ref", "--format=%(refname)", *below).splitlines()


def branches(place: Workspace) -> list[str]:
    return [ref.removeprefix("refs/heads/") for ref in refs(place, "refs/heads")]


def test_branch_goes_and_the_clone_stands_on_its_base(worker: Worker, place: Workspace) -> None:
    head = head_of(place)

    assert clear(worker, place, head) == ""

    assert branches(place) == ["main"]
    assert run(place.clone, "status", "--porcelain=v2", "--branch", "-uall").splitlines()[1] == (
        "# branch.head main"
    )
    assert run(place.clone, "status", "--porcelain") == ""
    assert not (place.clone / "work.txt").exists()
    assert (place.clone / "build").is_dir()
    assert not (place.clone / ".git" / "logs" / "refs" / "heads" / BRANCH).exists()
    assert clear(worker, place, head) == ""


def test_next_task_finds_nothing_to_keep(worker: Worker, place: Workspace) -> None:
    clear(worker, place)
    spec = worker.spec(issue=23)

    after = preparing.prepare(worker.git(spec), spec, resume=False)

    assert (after.notes, refs(after, "refs/cw")) == ((), [])
    assert branches(after) == ["issue-23", "main"]


def test_branch_of_another_task_that_the_clone_stands_on_is_not_touched(
    worker: Worker, place: Workspace
) -> None:
    head, spec = head_of(place), worker.spec(issue=23)
    other = preparing.prepare(worker.git(spec), spec, resume=False)
    (other.clone / "draft.txt").write_text("draft", "utf-8")
    give_tree(other.clone)

    assert clear(worker, place, head) == ""

    assert branches(place) == ["issue-23", "main"]
    assert run(place.clone, "status", "--porcelain") == "?? draft.txt"
    assert run(place.clone, "symbolic-ref", "HEAD") == "refs/heads/issue-23"


def test_what_was_kept_goes_where_all_of_it_was_pushed(worker: Worker, place: Workspace) -> None:
    git, head = worker.git(worker.spec()), head_of(place)
    earlier = run(place.clone, "rev-parse", "HEAD^")
    keep_commits(git, place, earlier)
    (place.clone / "draft.txt").write_text("draft", "utf-8")
    give_tree(place.clone)
    draft = save_work(git, place.clone, "draft")
    (place.clone / "draft.txt").unlink()

    assert clear(worker, place, head) == ""

    assert refs(place, "refs/cw") == [draft]


def more(place: Workspace) -> None:
    commit(place.clone, "more.txt")


def draft(place: Workspace) -> None:
    (place.clone / "draft.txt").write_text("draft", "utf-8")
    give_tree(place.clone)


def no_base(place: Workspace) -> None:
    run(place.clone, "update-ref", "-d", "refs/heads/main")


def no_clone(place: Workspace) -> None:
    (place.clone / ".git" / "objects" / "info" / "alternates").write_text("/etc", "utf-8")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (more, "1 of its commits was not merged"),
        (draft, "the clone stands on it, with what is not committed"),
        (no_base, "the clone stands on it, and has no main"),
        (no_clone, "the clone cannot be changed: "),
    ],
)
def test_branch_stays_with_what_is_nowhere_else(
    worker: Worker, place: Workspace, change: Callable[[Workspace], None], why: str
) -> None:
    head = head_of(place)
    change(place)
    before = (place.clone / ".git" / "HEAD").read_text("utf-8"), sorted(place.clone.iterdir())

    assert clear(worker, place, head).startswith(why)

    assert (place.clone / ".git" / "refs" / "heads" / BRANCH).exists()
    assert before == (
        (place.clone / ".git" / "HEAD").read_text("utf-8"),
        sorted(place.clone.iterdir()),
    )


def test_head_that_somebody_pushed_on_top_need_not_be_in_the_clone(
    worker: Worker, place: Workspace, hub: GitHubStandIn
) -> None:
    ours = head_of(place)
    theirs = hub.add_commit("acme/app", BRANCH, {"review.txt": "x\n"})

    assert clear(worker, place, theirs) == (
        f"{ours[:12]}, where it stands, was never seen at GitHub"
    )
    assert clear(worker, place, theirs, pushed=["b" * 40, ours]) == ""
    assert branches(place) == ["main"]


def test_one_that_was_cut_short_is_ended_by_the_next(worker: Worker, place: Workspace) -> None:
    """Killed once it stood on the base: the files are still those of the branch."""
    head = head_of(place)
    run(place.clone, "symbolic-ref", "HEAD", "refs/heads/main")

    assert clear(worker, place, head) == ""

    assert branches(place) == ["main"]
    spec = worker.spec(issue=23)
    after = preparing.prepare(worker.git(spec), spec, resume=False)
    assert run(after.clone, "status", "--porcelain") == ""


def test_nothing_is_done_while_somebody_looks_at_the_clone(
    worker: Worker, place: Workspace
) -> None:
    leaves = threading.Event()
    leaves.set()
    git = replace(worker.git(worker.spec()), leave=leaves)
    merged = Merged(clone=place.clone, branch=BRANCH, base="main", head=head_of(place))

    with looking(worker.settings, worker.home, 0), pytest.raises(HostLeavesError):
        remove_branch(git, merged)

    assert BRANCH in branches(place)


def test_no_clone_has_no_branch(worker: Worker, place: Workspace) -> None:
    assert clear(worker, place, clone=place.clone / "none") == ""
    assert clear(worker, place, head=head_of(place), branch="issue-99") == ""
    assert branches(place) == [BRANCH, "main"]
