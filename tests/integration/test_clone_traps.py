"""What an agent leaves in its clone holds nobody up, is never more than the host can bear, and
costs the next task nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.homes import journal
from cw.models import Outcome, TaskSpec
from cw.redaction.redact import Redactor
from cw.states import OutcomeKind
from tests.integration.cloning import Worker, commit, run
from tests.making import NOW, make_journal
from tests.standins.github import GitHubStandIn
from workerhost.clones import host_repositories, preparing
from workerhost.clones.changes import changes
from workerhost.clones.workspace import Workspace
from workerhost.programs.progress import Progress, Result
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import FINISHED


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    made = Worker.make(tmp_path, hub)
    return replace(made, settings=replace(made.settings, git_seconds=15.0, git_memory_mb=64))


@pytest.fixture
def spec(worker: Worker) -> TaskSpec:
    return worker.spec()


@pytest.fixture
def place(worker: Worker, spec: TaskSpec) -> Workspace:
    return preparing.prepare(worker.git(spec), spec, resume=False)


def settled(worker: Worker, spec: TaskSpec, place: Workspace) -> Outcome:
    where = {"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
    begun = make_journal().run.model_copy(update=where)
    journal.write(worker.home, make_journal().model_copy(update={"task": spec, "run": begun}))
    progress = Progress(turns=3, result=Result(report="Fixed it."))
    git, now, defer = worker.git(spec), NOW + timedelta(seconds=5), timedelta(minutes=10)
    return settle(
        EndedRun(
            task=spec,
            run=begun,
            github=None,
            process=FINISHED,
            progress=progress,
            now=now,
            defer=defer,
            redact=Redactor(),
        ),
        git,
    )


def viewed(worker: Worker, spec: TaskSpec) -> dict[str, str]:
    git = worker.git(spec)
    return changes(worker.home, git.wall, worker.settings, git.env, spec.id)


def _fifo(name: str) -> Callable[[Path], None]:
    def make(git_dir: Path) -> None:
        path = git_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return make


def _link(name: str, target: str) -> Callable[[Path], None]:
    def make(git_dir: Path) -> None:
        (git_dir / name).unlink(missing_ok=True)
        (git_dir / name).symlink_to(target)

    return make


def _leads(name: str, text: str) -> Callable[[Path], None]:
    def make(git_dir: Path) -> None:
        (git_dir / name).write_text(text, "utf-8")

    return make


def _instead(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def made(git_dir: Path) -> None:
        git_dir.rename(git_dir.with_name("was"))
        make(git_dir)

    return made


def _a_pointer(path: Path) -> None:
    path.write_text("gitdir: /etc\n", "utf-8")


TRAPS = {
    "pipe-refs": _fifo("packed-refs"),
    "pipe-head": _fifo("HEAD"),
    "pipe-config": _fifo("config"),
    "pipe-index": _fifo("index"),
    "pipe-ref": _fifo("refs/heads/x"),
    "pipe-reflog": _fifo("logs/refs/remotes/origin/issue-22"),
    "pipe-pack": _fifo("objects/pack/pack-1.idx"),
    "link-refs": _link("packed-refs", "/dev/zero"),
    "link-index": _link("index", "/dev/zero"),
    "alternates": _leads("objects/info/alternates", "/etc\n"),
    "commondir": _leads("commondir", "/etc\n"),
    "head": _leads("HEAD", "ref: ../../../etc/passwd\n"),
    "gitfile": _instead(_a_pointer),
    "git-pipe": _instead(os.mkfifo),
    "git-link": _instead(lambda path: path.symlink_to("was")),
}


@pytest.mark.parametrize("trap", sorted(TRAPS))
def test_clone_that_is_a_trap_is_not_judged_and_kept_aside(
    worker: Worker, spec: TaskSpec, place: Workspace, trap: str
) -> None:
    commit(place.clone, "fix.txt")
    TRAPS[trap](place.clone / ".git")

    outcome = settled(worker, spec, place)

    (kept,) = (worker.home.path / "set-aside").iterdir()
    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "not_judged")
    assert f"kept as it is in {kept}" in outcome.message
    assert (kept / "fix.txt").exists()


@pytest.mark.parametrize("trap", ["pipe-refs", "link-index", "git-pipe"])
def test_view_of_a_trap_says_so(
    worker: Worker, spec: TaskSpec, place: Workspace, trap: str
) -> None:
    where = {"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
    begun = make_journal().run.model_copy(update=where)
    journal.write(worker.home, make_journal().model_copy(update={"task": spec, "run": begun}))
    TRAPS[trap](place.clone / ".git")

    with pytest.raises(BadInputError, match="cannot be compared"):
        viewed(worker, spec)


def _broken_config(clone: Path) -> None:
    (clone / ".git" / "config").write_text("[broken", "utf-8")


def _no_objects(clone: Path) -> None:
    subprocess.run(["rm", "-rf", str(clone / ".git" / "objects")], check=True)


def _a_file(clone: Path) -> None:
    clone.parent.rename(clone.parent.with_name("was"))
    clone.parent.write_text("x", "utf-8")


@pytest.mark.parametrize(
    "left",
    [
        *(lambda clone, one=one: one(clone / ".git") for one in TRAPS.values()),
        _broken_config,
        _no_objects,
        _a_file,
    ],
    ids=[*TRAPS, "broken-config", "no-objects", "a-file"],
)
def test_next_task_has_a_clone_whatever_the_last_one_left(
    worker: Worker, place: Workspace, left: Callable[[Path], None]
) -> None:
    left(place.clone)
    again = worker.spec(issue=23)

    place = preparing.prepare(worker.git(again), again, resume=False)

    assert run(place.clone, "symbolic-ref", "--short", "HEAD") == "issue-23"
    assert run(place.clone, "status", "--porcelain") == ""


def grown(clone: Path, levels: int) -> str:
    """A commit with ten to the power of `levels` paths, in as many objects."""

    def tree(kind: str, mode: str, sha: str) -> str:
        rows = "".join(f"{mode} {kind} {sha}\tname-{number}\n" for number in range(10))
        return run(clone, "mktree", stdin=rows.encode())

    sha = tree("blob", "100644", run(clone, "hash-object", "-w", "--stdin", "-t", "blob"))
    for _ in range(levels - 1):
        sha = tree("tree", "040000", sha)
    grown = run(clone, "commit-tree", sha, "-p", "HEAD", "-m", "Grow")
    run(clone, "update-ref", "refs/heads/issue-22", grown)
    return grown


def test_tree_with_more_paths_than_anybody_reads_is_too_large_and_not_pushed(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    grown(place.clone, levels=7)

    outcome = settled(worker, spec, place)
    again = worker.spec(issue=23)
    after = preparing.prepare(worker.git(again), again, resume=False)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "too_large")
    assert spec.branch not in hub.heads("acme/app")
    assert run(after.clone, "status", "--porcelain") == ""


def crowded(clone: Path, entries: int) -> None:
    """A small index that stands for long names: they share all but their ends."""
    blob = run(clone, "hash-object", "-w", "--stdin", "-t", "blob")
    folder = "/".join(["d" * 200] * 15)
    rows = "".join(f"100644 {blob}\t{folder}/{number}\n" for number in range(entries))
    run(clone, "update-index", "--index-version", "4", "--index-info", stdin=rows.encode())


def test_index_that_says_more_than_anybody_reads_is_cut_in_views(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    crowded(place.clone, 5_000)
    outcome = settled(worker, spec, place)

    shown = viewed(worker, spec)

    assert outcome.kind is OutcomeKind.FAILED
    assert len(shown["status"]) < 200_000
    assert "too large to be shown whole" in shown["status"]


def test_view_does_not_look_while_the_host_settles(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    settled(worker, spec, place)
    with (
        host_repositories.occupied(worker.settings, worker.home, 1.0),
        pytest.raises(BadInputError, match="prepares or settles this run now"),
    ):
        viewed(worker, spec)

    assert viewed(worker, spec)["branch"] == "issue-22"


def test_history_that_was_cut_short_is_not_judged(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    commit(place.clone, "one.txt")
    head = commit(place.clone, "two.txt")
    (place.clone / ".git" / "shallow").write_text(f"{head}\n", "utf-8")

    assert settled(worker, spec, place).reason == "not_judged"


def test_objects_that_git_would_not_write_are_not_taken(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    clone = place.clone
    inner = run(clone, "rev-parse", "HEAD^{tree}")
    raw = b"40000 .git\0" + bytes.fromhex(inner)
    tree = run(clone, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)
    bad = run(clone, "commit-tree", tree, "-p", "HEAD", "-m", "Evil")
    run(clone, "update-ref", f"refs/heads/{spec.branch}", bad)

    outcome = settled(worker, spec, place)

    assert outcome.reason == "not_judged"
    assert spec.branch not in hub.heads("acme/app")
