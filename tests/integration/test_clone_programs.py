"""No program that a clone names is started by the host's git, whichever key names it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from cw.homes import journal
from cw.redaction.redact import Redactor
from tests.integration.cloning import Worker, commit, push, run
from tests.making import NOW, make_journal
from tests.needs import require
from tests.standins.github import GitHubStandIn
from tests.walls import WALLS
from workerhost.clones import preparing, workspace
from workerhost.clones.changes import changes
from workerhost.clones.evidence import Pushed
from workerhost.programs.progress import Progress, Result
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import FINISHED

# How the names of keys end whose values git starts, or reads more configuration from.
PROGRAM = re.compile(
    r"(command|cmd|program|helper|driver|textconv|clean|smudge|process|pager|editor|askpass|proxy"
    r"|hook|hookspath|fsmonitor|external|update|uploadpack|receivepack|upload|path|rsh|vcs|tool"
    r"|browser|web|instaweb\.httpd|signers|signing|sendmail|smtpserver|tocmd|cccmd|guitool"
    r"|program|recipe|trustctime|filter|difftool\..*|mergetool\..*|alias\..*)$",
    re.IGNORECASE,
)
# Not among those that git lists, or only with a word of the agent's own in them.
MORE = (
    *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv"),
    *("diff.evil.command", "merge.evil.driver", "alias.status", "alias.log", "alias.diff"),
    *("remote.origin.vcs", "core.alternateRefsCommand", "uploadpack.packObjectsHook"),
    *("submodule.sub.update", "include.path", "includeIf.gitdir:/.path", "core.worktree"),
    *("gpg.program", "gpg.ssh.program", "credential.helper", "core.sshCommand", "core.pager"),
)
SWITCHES = ("commit.gpgSign", "push.gpgSign", "log.showSignature", "submodule.recurse")
HOOKS = (
    *("post-checkout", "pre-push", "reference-transaction", "post-index-change", "fsmonitor"),
    *("pre-commit", "post-commit", "pre-auto-gc", "post-rewrite", "post-merge", "proc-receive"),
)


def keys() -> list[str]:
    told = subprocess.run(["git", "help", "--config"], capture_output=True, text=True, check=True)
    listed = {re.sub(r"<[^>]*>|\*", "evil", line) for line in told.stdout.split()}
    found = {one for one in listed if "." in one and PROGRAM.search(one)}
    assert len(found) > 50
    return sorted(found | set(MORE))


def poison(worker: Worker, clone: Path, named: Sequence[str]) -> None:
    """Everything that an agent can write, with a program that notes that it ran."""
    home = worker.home.path
    script = home / "evil.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >>{home}/ran\nexec cat\n', "utf-8")
    script.chmod(0o755)
    values = {key: f"!{script}" if key.startswith("alias.") else f"{script}" for key in named}
    values |= {key: "true" for key in named if key in SWITCHES}
    rows = [f'{_row(key)} = "{value}"' for key, value in values.items()]
    text = "".join(f"[{one}\n" for one in rows)
    for path in (clone / ".git" / "config", home / ".config" / "git" / "config"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    hooks = clone / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        shutil.copy(script, hooks / name)
    everything = "* filter=evil diff=evil merge=evil ident working-tree-encoding=UTF-16\n"
    for path in (clone / ".git" / "info" / "attributes", clone / ".gitattributes"):
        path.write_text(everything.replace(" working-tree-encoding=UTF-16", ""), "utf-8")
    url = '[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c "%s"\n\tupdate = !%s\n'
    (clone / ".gitmodules").write_text(url % (script, script), "utf-8")
    for path in (worker.home.tmp / "x.git", home / ".git"):  # bare ones, to be found
        run(home, "init", "-q", "--bare", str(path))
        (path / "config").write_text(f"[core]\n\tbare = true\n{text}", "utf-8")


def _row(key: str) -> str:
    """`[section "sub"]` and the name: what stands before the value, but for the first bracket."""
    section, _, rest = key.partition(".")
    sub, _, name = rest.rpartition(".")
    return f'{section} "{sub}"]\n\t{name}' if sub else f"{section}]\n\t{name}"


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    require(WALLS, "a bwrap that works")
    return Worker.make(tmp_path, hub)


def test_no_key_of_gits_starts_a_program_of_the_agents(worker: Worker, hub: GitHubStandIn) -> None:
    spec = worker.spec()
    git = worker.git(spec)
    place = preparing.prepare(git, spec, resume=False)
    head = commit(place.clone, "fix.txt")
    (place.clone / "fix.txt").write_text("changed since\n", "utf-8")
    poison(worker, place.clone, [*keys(), *SWITCHES])
    where = {"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
    book = make_journal().model_copy(
        update={"task": spec, "run": make_journal().run.model_copy(update=where)}
    )
    journal.write(worker.home, book)

    shown = changes(worker.home, git.wall, worker.settings, git.env, spec.id)
    pushed = push(git, place)
    workspace.summary(git, place)
    kept = workspace.save_work(git, place.clone, "wip")
    now, defer = NOW + timedelta(seconds=5), timedelta(minutes=10)
    progress = Progress(turns=3, result=Result(report="Fixed it."))
    outcome = settle(
        EndedRun(
            task=spec,
            run=book.run,
            github=None,
            process=FINISHED,
            progress=progress,
            now=now,
            defer=defer,
            redact=Redactor(),
        ),
        git,
    )
    preparing.prepare(git, spec, resume=True)
    again = worker.spec(issue=23)
    preparing.prepare(worker.git(again), again, resume=False)

    ran = worker.home.path / "ran"
    assert not ran.exists(), ran.read_text("utf-8")
    assert "changed since" in shown["diff"]
    assert (pushed, bool(kept), outcome.head) == (Pushed(), True, head)
    assert hub.heads("acme/app")["issue-22"] == head


def test_the_agents_git_would_start_them(worker: Worker) -> None:
    """Else the test above proves nothing."""
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    poison(worker, place.clone, ["filter.evil.clean"])
    (place.clone / "new.txt").write_text("x", "utf-8")

    run(place.clone, "add", "new.txt")

    assert (worker.home.path / "ran").exists()


def test_host_s_own_git_sees_no_home(worker: Worker) -> None:
    git = worker.git(worker.spec())
    preparing.prepare(git, worker.spec(), resume=False)
    at = next((worker.settings.state_dir / "git" / "mirrors").iterdir())
    look = f"alias.look=!ls -d {worker.home.path}/.zshenv"

    seen = git.own("-c", look, "look", at=at)

    assert "No such file" in seen.err
