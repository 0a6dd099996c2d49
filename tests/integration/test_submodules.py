"""Kind: a used clone is trusted to be usable, of submodules. Each is at the commit that its
repository wants; what `.gitmodules` says is a stranger's, and runs nothing and leads nowhere.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cw.errors import LostServerError, WorkspaceError
from cw.homes.owner import give_tree
from tests.integration.cloning import REPO, Worker, commit, fork_server_killed, inspect, run
from tests.integration.test_used_clones import kept_aside
from tests.needs import require
from tests.standins.github import GitHubStandIn
from tests.walls import WALLS
from workerhost.clones import preparing, workspace
from workerhost.clones.modulesurl import resolved, same_place
from workerhost.clones.remote import find
from workerhost.clones.workspace import Workspace

LIB = "acme/lib"


@pytest.fixture
def worker(any_hub: GitHubStandIn, tmp_path: Path) -> Worker:
    """Whose token reads the private library, too."""
    require(WALLS, "bubblewrap and socat that work")
    any_hub.add_repo(LIB, files={"lib.txt": "1\n"}, private=True)
    any_hub.add_user("bot", "bot-token", {REPO: "write", LIB: "write"})
    return Worker.make(tmp_path, any_hub)


def said(name: str = "lib", path: str = "lib", url: str = "../lib.git", more: str = "") -> str:
    return f'[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n{more}'


def wants(hub: GitHubStandIn, sha: str, text: str, repo: str = REPO, path: str = "lib") -> None:
    """Main of the repository has a submodule at this commit, and this `.gitmodules`."""
    at = hub.state.repos[repo].path
    blob = run(at, "hash-object", "-w", "--stdin", stdin=text.encode())
    rows = run(at, "ls-tree", "main").splitlines()
    kept = [one for one in rows if not one.endswith((f"\t{path}", "\t.gitmodules"))]
    rows = [*kept, f"160000 commit {sha}\t{path}", f"100644 blob {blob}\t.gitmodules"]
    tree = run(at, "mktree", "--missing", stdin="\n".join([*rows, ""]).encode())
    head = run(at, "commit-tree", tree, "-p", "main", "-m", "Submodule")
    run(at, "update-ref", "refs/heads/main", head)


def prepared(worker: Worker, issue: int = 1) -> Workspace:
    spec = worker.spec(issue=issue)
    return preparing.prepare(worker.git(spec), spec, resume=False)


def test_submodule_is_at_its_commit_in_a_new_clone_and_a_used_one(
    worker: Worker, any_hub: GitHubStandIn
) -> None:
    first = any_hub.heads(LIB)["main"]
    wants(any_hub, first, said())
    place = prepared(worker)
    lib = place.clone / "lib"

    assert place.notes == ()
    assert (lib / "lib.txt").read_text("utf-8") == "1\n"
    assert run(lib, "rev-parse", "HEAD") == first
    assert run(place.clone, "submodule", "status").startswith(first)  # no + and no -
    assert run(place.clone, "status", "--porcelain") == ""
    moved = any_hub.add_commit(LIB, "main", {"lib.txt": "2\n"})
    run(lib, "fetch", "-q", str(any_hub.state.repos[LIB].path), "+main:refs/remotes/origin/main")
    run(lib, "checkout", "-q", moved)
    wants(any_hub, moved, said())

    place = prepared(worker, 2)
    run(place.clone, "add", "--all")

    assert run(place.clone, "status", "--porcelain") == ""
    assert run(lib, "rev-parse", "HEAD") == moved
    assert (lib / "lib.txt").read_text("utf-8") == "2\n"
    assert kept_aside(worker) == []


def test_submodule_that_a_task_moves_is_work_and_goes_with_its_clone(
    worker: Worker, any_hub: GitHubStandIn
) -> None:
    first = any_hub.heads(LIB)["main"]
    wants(any_hub, first, said())
    place = prepared(worker)
    mine = commit(place.clone / "lib", "mine.txt")
    (place.clone / "lib" / "draft.txt").write_text("draft", "utf-8")
    give_tree(place.clone)

    assert inspect(worker.git(worker.spec(issue=1)), place).dirty
    place = prepared(worker, 2)

    (kept,) = kept_aside(worker)
    assert (kept / "draft.txt").read_text("utf-8") == "draft"
    assert run(kept, "rev-parse", "HEAD") == mine
    assert run(place.clone / "lib", "rev-parse", "HEAD") == first


def test_commit_on_no_branch_is_asked_for_by_its_name(
    worker: Worker, any_hub: GitHubStandIn
) -> None:
    gone = any_hub.add_commit(LIB, "gone", {"lib.txt": "gone\n"})
    any_hub.delete_branch(LIB, "gone")
    wants(any_hub, gone, said(url=f"{any_hub.base_url}/{LIB}"))

    for issue in (1, 2):
        place = prepared(worker, issue)

        assert place.notes == ()
        assert (place.clone / "lib" / "lib.txt").read_text("utf-8") == "gone\n"
    assert kept_aside(worker) == []


def test_submodules_within_submodules(worker: Worker, any_hub: GitHubStandIn) -> None:
    inner = any_hub.add_repo("acme/inner", files={"inner.txt": "x\n"})
    assert inner
    wants(
        any_hub, any_hub.heads("acme/inner")["main"], said("deep/er", "in", "../inner"), LIB, "in"
    )
    wants(any_hub, any_hub.heads(LIB)["main"], said())

    for issue in (1, 2):
        place = prepared(worker, issue)

        assert place.notes == ()
        assert (place.clone / "lib" / "in" / "inner.txt").exists()
        assert run(place.clone, "status", "--porcelain") == ""
    assert kept_aside(worker) == []


def test_submodule_that_was_lost_with_the_fork_server_is_not_taken_for_one_that_is_missing(
    worker: Worker, any_hub: GitHubStandIn
) -> None:
    wants(any_hub, any_hub.heads(LIB)["main"], said())
    asked = any_hub.fault(path_regex=f"{LIB}.git/info/refs", status=0, delay=60)

    with fork_server_killed(once=lambda: bool(asked.hits)), pytest.raises(LostServerError):
        prepared(worker)

    assert prepared(worker).notes == ()
    assert kept_aside(worker) == []


MALICE = {
    "command": said(more="\tupdate = !touch {home}/ran\n"),
    "name leads out": said(name="../../../hooks"),
    "name of git's": said(name="x/.GIT"),
    "no such repository": said(url="../none.git"),
    "ext": said(url="ext::sh -c touch% {home}/ran"),
    "helper": said(url="helper::http://x"),
    "path of this machine": said(url="{home}/secret"),
    "file": said(url="file://{home}/secret"),
    "option": said(url="-u./payload"),
    "option in ssh's host": said(url="ssh://-oProxyCommand=touch/x"),
    "another host": said(url="http://evil.invalid/x.git"),
    "leads out of the host": said(url="../../../evil.invalid/x.git"),
    "address within": said(url="http://169.254.169.254/latest"),
    "ssh to another host": said(url="git@evil.invalid:x/y"),
    "line end": said(url='"http://x/\\n[core]"'),
    "no URL": '[submodule "lib"]\n\tpath = lib\n',
    "broken": "[submodule",
    "include": "[include]\n\tpath = /dev/zero\n",
    "another path": said(path="../lib"),
}


@pytest.mark.parametrize("name", MALICE)
def test_submodule_that_cannot_be_had_is_said_and_harms_nobody(
    worker: Worker, any_hub: GitHubStandIn, name: str
) -> None:
    text = MALICE[name].replace("{home}", str(worker.home.path))
    wants(any_hub, any_hub.heads(LIB)["main"], text)

    place = prepared(worker)

    filled = (place.clone / "lib" / "lib.txt").exists()
    assert filled is (name == "command")
    if not filled:
        assert "lib: " in place.missing[0]
        assert place.notes == place.missing
        assert list((place.clone / "lib").iterdir()) == []
    assert not (worker.home.path / "ran").exists()
    if name not in {"command", "broken"}:  # of which git itself says no more
        assert run(place.clone, "status", "--porcelain") == ""
    assert "evil.invalid" not in " ".join(any_hub.leaks)


def test_another_host_gets_no_login(worker: Worker, any_hub: GitHubStandIn) -> None:
    (worker.home.path / ".netrc").write_text("default login bot password bot-token\n", "utf-8")
    nameless = replace(worker.git(worker.spec()), nameless=True)

    with pytest.raises(WorkspaceError):
        find(nameless, f"{any_hub.base_url}/{LIB}.git")

    assert find(nameless, f"{any_hub.base_url}/{REPO}.git")


@pytest.mark.parametrize(
    ("base", "url", "whole", "login"),
    [
        ("https://h/o/r.git", "../lib", "https://h/o/lib", True),
        ("https://h/o/r.git", "./lib", "https://h/o/r.git/lib", True),
        ("https://h/o/r", "../../p/lib/", "https://h/p/lib", True),
        ("git@h:o/r.git", "../lib", "git@h:o/lib", True),
        ("git@h:r", "../lib", "git@h:lib", True),
        ("https://h/o/r", "https://h/x", "https://h/x", True),
        ("https://h/o/r", "http://h/x", "http://h/x", False),
        ("https://h/o/r", "https://h:444/x", "https://h:444/x", False),
        ("https://h/o/r", "https://h.evil/x", "https://h.evil/x", False),
        ("https://h/o/r", "git@h:x/y", "git@h:x/y", True),
        ("https://h/o/r", "https://h@evil/x", "https://h@evil/x", False),
    ],
)
def test_where_a_submodule_is(base: str, url: str, whole: str, *, login: bool) -> None:
    assert resolved(base, url) == whole
    assert same_place(base, whole) is login


def test_nothing_that_a_submodule_names_is_started_when_work_is_kept(
    worker: Worker, any_hub: GitHubStandIn
) -> None:
    wants(any_hub, any_hub.heads(LIB)["main"], said())
    place = prepared(worker)
    lib, git = place.clone / "lib", worker.git(worker.spec(issue=1))
    script = worker.home.path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {worker.home.path}/ran\nexec cat\n", "utf-8")
    script.chmod(0o755)
    for key in ("filter.evil.clean", "core.fsmonitor", "diff.external"):
        run(lib, "config", key, str(script))
    (lib / ".gitattributes").write_text("* filter=evil\n", "utf-8")
    (lib / "lib.txt").write_text("2\n", "utf-8")
    (place.clone / "draft.txt").write_text("draft", "utf-8")
    give_tree(place.clone)

    kept = workspace.save_work(git, place.clone, "x")
    inspect(git, place)
    prepared(worker, 2)

    assert not (worker.home.path / "ran").exists()
    assert run(place.clone, "show", f"{kept}:draft.txt") == "draft"
    (aside,) = kept_aside(worker)
    run(aside, "add", "lib.txt")
    assert (worker.home.path / "ran").exists()  # else this proves nothing
