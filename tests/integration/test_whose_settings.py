"""Kind: whose settings decide the host's git. A person's, copied into HOME, or an agent's, left in
the clone, decide nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cw.credentials.agentenv import agent_environment
from cw.homes.files import write_private
from cw.homes.layout import Home
from cw.homes.owner import give_tree
from tests.integration.cloning import REPO, Worker, commit, inspect, push, run
from tests.needs import need
from tests.standins.github import GitHubStandIn
from tests.walls import AROUND_REHEARSAL, AS_ROOT, outer_wall, owned
from workerhost.clones import preparing
from workerhost.clones.committing import cannot_commit
from workerhost.clones.evidence import Pushed

# As `git config` names them; of a person's ~/.gitconfig and of a clone's own configuration alike.
SETTINGS = {
    "status.showUntrackedFiles": "no",
    "status.relativePaths": "false",
    "status.short": "true",
    "status.branch": "true",
    "safe.bareRepository": "explicit",
    "clone.defaultRemoteName": "up",
    "clone.rejectShallow": "true",
    "commit.gpgsign": "true",
    "push.gpgSign": "true",
    "push.default": "nothing",
    "push.followTags": "true",
    "push.recurseSubmodules": "check",
    "push.useForceIfIncludes": "true",
    "remote.pushDefault": "elsewhere",
    "remote.origin.mirror": "true",
    "fetch.prune": "true",
    "fetch.fsckObjects": "true",
    "fetch.parallel": "7",
    "fetch.recurseSubmodules": "yes",
    "transfer.hideRefs": "refs/heads",
    "transfer.credentialsInUrl": "die",
    "protocol.allow": "never",
    "protocol.file.allow": "never",
    "core.excludesFile": "{home}/everything",
    "core.attributesFile": "{home}/everything",
    "core.hooksPath": "{home}/hooks",
    "core.fsmonitor": "{home}/hooks/fails",
    "core.quotePath": "false",
    "core.sparseCheckout": "true",
    "core.checkStat": "minimal",
    "core.ignoreStat": "true",
    "core.untrackedCache": "true",
    "core.splitIndex": "true",
    "core.precomposeUnicode": "true",
    "core.abbrev": "4",
    "core.askPass": "{home}/hooks/fails",
    "core.logAllRefUpdates": "always",
    "core.alternateRefsCommand": "false",
    "index.version": "4",
    "index.skipHash": "true",
    "init.defaultBranch": "trunk",
    "init.templateDir": "{home}/template",
    "init.defaultObjectFormat": "sha256",
    "color.ui": "always",
    "column.ui": "always",
    "diff.noprefix": "true",
    "diff.external": "false",
    "diff.ignoreSubmodules": "all",
    "feature.experimental": "true",
    "feature.manyFiles": "true",
    "log.showSignature": "true",
    "user.useConfigOnly": "true",
    "gc.auto": "1",
    "pack.threads": "2",
    "pack.packSizeLimit": "1m",
    "trace2.eventTarget": "{home}/trace",
    "alias.status": "!false",
    "submodule.recurse": "true",
}
BROKEN = "[broken\n"


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    return Worker.make(tmp_path, hub)


def set_traps(worker: Worker) -> None:
    (worker.home.path / "everything").write_text("*\n", "utf-8")
    hooks = worker.home.path / "hooks"
    hooks.mkdir()
    for name in ("fails", "pre-push", "post-checkout", "reference-transaction"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n", "utf-8")
        (hooks / name).chmod(0o755)
    template = worker.home.path / "template"
    template.mkdir()
    (template / "config").write_text("[core]\n\tbare = true\n", "utf-8")


def told(worker: Worker, key: str) -> str:
    section, _, name = key.rpartition(".")
    first, _, second = section.partition(".")
    head = f'[{first} "{second}"]' if second else f"[{first}]"
    return f"{head}\n\t{name} = {SETTINGS[key].format(home=worker.home.path)}\n"


def whole_way(worker: Worker, hub: GitHubStandIn) -> None:
    """A first task that leaves a new file, a second that commits: kept, and pushed."""
    first, second = worker.spec(issue=1), worker.spec(issue=2)
    place = preparing.prepare(worker.git(first), first, resume=False)
    (place.clone / "new.txt").write_text("new", "utf-8")

    assert inspect(worker.git(first), place).dirty

    place = preparing.prepare(worker.git(second), second, resume=False)
    kept = f"refs/cw/wip/before-{second.id.lower()}:new.txt"

    assert run(place.clone, "show", kept) == "new"
    assert not (place.clone / "new.txt").exists()
    head = commit(place.clone, "fix.txt")
    state = inspect(worker.git(second), place)
    assert (state.head, state.commits, state.dirty) == (head, 1, False)
    assert push(worker.git(second), place) == Pushed()
    assert hub.heads(REPO)["issue-2"] == head


def test_what_a_person_has_set_decides_nothing(worker: Worker, hub: GitHubStandIn) -> None:
    set_traps(worker)
    text = "".join(told(worker, key) for key in SETTINGS)
    write_private(worker.home.path / ".gitconfig", text.encode())

    whole_way(worker, hub)


def test_a_person_s_broken_configuration_decides_nothing(
    worker: Worker, hub: GitHubStandIn
) -> None:
    write_private(worker.home.path / ".gitconfig", BROKEN.encode())

    whole_way(worker, hub)


def test_the_same_of_a_repository_on_this_machine(worker: Worker, git_repo: Path) -> None:
    set_traps(worker)
    text = "".join(told(worker, key) for key in SETTINGS)
    write_private(worker.home.path / ".gitconfig", text.encode())
    bare = git_repo.with_name("bare.git")
    run(git_repo, "clone", "-q", "--bare", str(git_repo), str(bare))
    spec = worker.path_spec(bare)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    head = commit(place.clone, "fix.txt")

    assert push(worker.git(spec), place) == Pushed()
    assert run(bare, "rev-parse", spec.branch) == head


def _all(worker: Worker) -> str:
    return "".join(told(worker, key) for key in SETTINGS)


LEFT: dict[str, Callable[[Worker], str]] = {
    "all": _all,
    "no-files-are-new": lambda worker: told(worker, "status.showUntrackedFiles"),
    "bare": lambda _: "[core]\n\tbare = true\n",
    "elsewhere": lambda _: "[core]\n\tworktree = /x\n",
    "format": lambda _: "[core]\n\trepositoryformatversion = 7\n",
    "extension": lambda _: "[extensions]\n\tworktreeConfig = true\n\tpartialClone = origin\n",
    "filter": lambda _: '[filter "lfs"]\n\tclean = false\n\trequired = true\n',
    "include": lambda _: "[include]\n\tpath = /dev/zero\n",
    "broken": lambda _: BROKEN,
}


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", LEFT)
def test_what_an_agent_has_set_in_its_clone_decides_nothing(
    worker: Worker, hub: GitHubStandIn, name: str, resume: bool
) -> None:
    set_traps(worker)
    text = LEFT[name](worker)
    spec = worker.spec(issue=1)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "fix.txt")
    (place.clone / "new.txt").write_text("new", "utf-8")
    with (place.clone / ".git" / "config").open("a", encoding="utf-8") as file:
        file.write(text)

    state = inspect(worker.git(spec), place)
    assert (state.commits, state.dirty, state.unjudged) == (1, True, None)
    assert push(worker.git(spec), place) == Pushed()
    if resume:
        preparing.prepare(worker.git(spec), spec, resume=True)
        assert (place.clone / "new.txt").exists()
    else:
        whole_way(worker, hub)
    if name not in {"elsewhere", "format", "include", "all"} or not resume:  # its own to mend
        assert run(place.clone, "remote") == "origin"


IDENTITIES = {
    "nothing": ("", "Claude worker 01 <worker-01@claude-workers.invalid>"),
    "a mail that is somebody else's": (
        "[sendemail]\n\temail = x@example.invalid\n",
        "Claude worker 01 <worker-01@claude-workers.invalid>",
    ),
    "a comment": ("# email\n", "Claude worker 01 <worker-01@claude-workers.invalid>"),
    "both": ("[user]\n\tname = Ada\n\temail = a@example.invalid\n", "Ada <a@example.invalid>"),
    "no name": ("[user]\n\temail = a@example.invalid\n", "Claude worker 01 <a@example.invalid>"),
    "no mail": ("[user]\n\tname = Ada\n", "Ada <worker-01@claude-workers.invalid>"),
    "an author": (
        "[author]\n\tname = Ada\n\temail = a@example.invalid\n",
        "Ada <a@example.invalid>",
    ),
    "included": ("[include]\n\tpath = more.inc\n", "Inc <inc@example.invalid>"),
    "strict": (
        "[user]\n\tuseConfigOnly = true\n",
        "Claude worker 01 <worker-01@claude-workers.invalid>",
    ),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_whose_commits_are_is_asked_of_git(worker: Worker, tmp_path: Path, name: str) -> None:
    text, expected = IDENTITIES[name]
    write_private(worker.home.path / ".gitconfig", text.encode())
    more = "[user]\n\tname = Inc\n\temail = inc@example.invalid\n"
    write_private(worker.home.path / "more.inc", more.encode())
    env = agent_environment(worker.home, worker.settings, dict(os.environ))

    asked = ["git", "var", "GIT_AUTHOR_IDENT"]
    done = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    assert done.stdout.rpartition(" ")[0].rpartition(" ")[0] == expected, done.stderr
    assert cannot_commit(worker.home, outer_wall(), worker.settings, dict(os.environ)) == ""


UNFIT = {
    "no key": ("[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = /nonexistent\n", "gpg"),
    "no ssh key": (
        "[commit]\n\tgpgsign = true\n[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = /no/key.pub\n",
        "/no/key.pub",
    ),
    "hook": ("[core]\n\thooksPath = {home}/hooks\n", "hook says no"),
    "broken": (BROKEN, "bad config"),
    "template": ("[commit]\n\ttemplate = /nonexistent\n[alias]\n\tx = y\n", ""),
}


@pytest.mark.parametrize("name", UNFIT)
def test_git_that_cannot_commit_is_said(worker: Worker, name: str) -> None:
    text, expected = UNFIT[name]
    if name == "no ssh key":
        need("ssh-keygen")
    hooks = worker.home.path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\necho hook says no >&2\nexit 1\n", "utf-8")
    (hooks / "pre-commit").chmod(0o755)
    text = text.format(home=worker.home.path)
    write_private(worker.home.path / ".gitconfig", text.encode())
    give_tree(worker.home.path)

    said = cannot_commit(worker.home, outer_wall(), worker.settings, dict(os.environ))

    assert expected in said
    assert bool(said) == bool(expected)
    assert list(worker.home.tmp.iterdir()) == []


def test_init_says_that_no_commit_will_work(
    cw: Callable[..., subprocess.CompletedProcess[str]], cw_environ: dict[str, str], tmp_path: Path
) -> None:
    person = tmp_path / "person"
    person.mkdir()
    (person / ".gitconfig").write_text(UNFIT["no ssh key"][0], "utf-8")
    cw_environ |= {"HOME": str(person), "CW_ISOLATION": AROUND_REHEARSAL, **AS_ROOT}

    made = cw("init", "01")
    owned(Home(Path(cw_environ["CW_WORKERS_ROOT"]) / "01"))
    again = cw("refresh", "01")
    doctor = cw("doctor")

    if not AS_ROOT:
        assert "no commit works in worker 01" in made.stderr
    assert "no commit works in worker 01" in again.stderr
    assert "commit.gpgsign false" in again.stderr
    assert "no commit works" in doctor.stdout
