"""What a run must not do is seen after it: secrets in commits, pushes to what is not its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cw.github.client import GitHub
from cw.models import Outcome, Start, TaskSpec
from cw.redaction.redact import redactor
from cw.states import OutcomeKind
from tests.integration.cloning import REPO, Worker, commit, run
from tests.making import NOW, make_journal
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing
from workerhost.clones.workspace import Workspace
from workerhost.programs.progress import Progress, Result
from workerhost.settling import breaches
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import FINISHED, Verdict

SECRET = "ghp_7dK2mQ9xV4tB1nR8wZ5cH3jL6pS0yF2gA4eU"
KILLED = Verdict(OutcomeKind.FAILED, "killed", "it was killed")


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    return Worker.make(tmp_path, hub)


@pytest.fixture
def spec(worker: Worker, hub: GitHubStandIn) -> TaskSpec:
    hub.add_commit(REPO, "theirs", {"theirs.txt": "1"})
    hub.add_commit(REPO, "gone", {"gone.txt": "1"})
    return worker.spec(issue=hub.add_issue(REPO, "The build fails"))


@pytest.fixture
def place(worker: Worker, spec: TaskSpec) -> Workspace:
    return preparing.prepare(worker.git(spec), spec, resume=False)


def settled(
    worker: Worker,
    spec: TaskSpec,
    place: Workspace,
    process: Verdict = FINISHED,
    *,
    path: str = "",
) -> Outcome:
    """`path`: where git is found."""
    assert worker.hub
    git = worker.git(spec)
    clone = {"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
    return settle(
        EndedRun(
            task=spec,
            run=make_journal().run.model_copy(update=clone),
            github=GitHub(worker.hub.api_url, "bot-token", pace=0),
            process=process,
            progress=Progress(turns=3, result=Result(report="Fixed it.")),
            now=NOW + timedelta(seconds=5),
            defer=timedelta(minutes=10),
            redact=redactor({"GH_TOKEN": SECRET}),
        ),
        replace(git, env={**git.env, "PATH": path or git.env["PATH"]}),
    )


def push(worker: Worker, place: Workspace, *what: str) -> None:
    """As the agent does, with its token."""
    assert worker.hub
    login = f"http.extraHeader=Authorization: Bearer {'bot-token'}"
    run(place.clone, "-c", login, "push", "--quiet", *what)


@pytest.mark.parametrize(
    "text", [SECRET, " + ".join(SECRET[at : at + 5] for at in range(0, len(SECRET), 5))]
)
def test_commit_with_a_secret_is_not_pushed_by_the_host(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn, text: str
) -> None:
    bad = commit(place.clone, "config.txt", f"token = {text}\n")
    run(place.clone, "rm", "-q", "config.txt")
    commit(place.clone, "fix.txt")  # the last tree is clean; the history is not

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "secret_committed")
    assert bad[:12] in outcome.message
    assert (outcome.pushed, hub.pulls(REPO)) == (False, [])
    assert spec.branch not in hub.heads(REPO)


def test_clone_cannot_make_the_search_see_something_else(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    (place.clone / ".gitattributes").write_text("* -diff\n", "utf-8")
    (place.clone / ".git" / "info" / "attributes").write_text("* -diff\n", "utf-8")
    (place.clone / "data.bin").write_bytes(b"\0" + SECRET.encode() + b"\0")
    run(place.clone, "add", "--all")
    run(place.clone, "commit", "-q", "-m", "Add data")
    bad = run(place.clone, "rev-parse", "HEAD")
    harmless = run(place.clone, "commit-tree", "HEAD~1^{tree}", "-p", "HEAD~1", "-m", "Nothing")
    run(place.clone, "replace", bad, harmless)
    run(place.clone, "config", "diff.external", "true")

    outcome = settled(worker, spec, place)

    assert outcome.reason == "secret_committed"
    assert spec.branch not in hub.heads(REPO)


def test_secret_outside_the_changed_files_is_found_as_well(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    """The committer's name, and what follows a NUL in a message that claims to be UTF-16."""
    who = ["-c", f"user.name={SECRET}"]
    run(place.clone, *who, "commit", "-q", "--allow-empty", "--author=A <a@b>", "-m", "x")
    by_name = settled(worker, spec, place).reason
    run(place.clone, "reset", "-q", "--hard", "HEAD~1")
    commit(place.clone, "fix.txt")
    raw = run(place.clone, "cat-file", "commit", "HEAD").partition("\n\n")[0]
    bad = f"{raw}\nencoding UTF-16\n\nFix it\0{SECRET}\n"
    (worker.home.tmp / "commit").write_text(bad, "utf-8")
    sha = run(place.clone, "hash-object", "-t", "commit", "-w", str(worker.home.tmp / "commit"))
    run(place.clone, "reset", "-q", "--hard", sha)

    assert by_name == "secret_committed"
    assert settled(worker, spec, place).reason == "secret_committed"


def test_large_change_is_searched_to_its_end(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    """In parts, one of which ends within the secret."""
    before = breaches._PART - len(SECRET)
    commit(place.clone, "data.txt", "\n".join([*["x" * 99] * (before // 100), SECRET, "end"]))

    assert settled(worker, spec, place).reason == "secret_committed"


@pytest.mark.parametrize("verb", ["rev-list --reverse", "cat-file --batch", "log --reverse"])
def test_commits_that_cannot_be_searched_are_not_pushed(
    worker: Worker,
    spec: TaskSpec,
    place: Workspace,
    hub: GitHubStandIn,
    tmp_path: Path,
    verb: str,
) -> None:
    commit(place.clone, "config.txt", SECRET)
    lame = tmp_path / "lame" / "git"
    lame.parent.mkdir()
    worker = replace(worker, settings=replace(worker.settings, sandbox_read=(lame.parent,)))
    fail = 'echo "fatal: it is broken" >&2; exit 128'
    lame.write_text(
        f'#!/bin/sh\ncase " $* " in *" {verb} "*) {fail};; esac\nexec /usr/bin/git "$@"\n', "utf-8"
    )
    lame.chmod(0o755)

    outcome = settled(worker, spec, place, path=f"{lame.parent}:/usr/bin:/bin")

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "not_searched")
    assert "fatal: it is broken" in outcome.message
    assert (spec.branch in hub.heads(REPO), hub.pulls(REPO)) == (False, [])


def test_pushed_commit_whose_content_is_gone_from_the_clone_is_no_success(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    commit(place.clone, "config.txt", SECRET)
    push(worker, place, "origin", "HEAD")
    blob = run(place.clone, "rev-parse", "HEAD:config.txt")
    (place.clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "not_judged")
    assert hub.pulls(REPO) == []


@pytest.mark.parametrize("process", [FINISHED, KILLED], ids=["finished", "killed"])
def test_secret_that_the_agent_pushed_is_reported_loudly(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn, process: Verdict
) -> None:
    commit(place.clone, "config.txt", SECRET)
    push(worker, place, "origin", "HEAD")

    outcome = settled(worker, spec, place, process)

    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.reason == ("secret_pushed" if process is FINISHED else "killed")
    assert "revoke the secret now" in outcome.message
    assert SECRET not in outcome.model_dump_json()
    assert hub.pulls(REPO) == []


def test_token_that_only_looks_like_one_is_pushed(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    commit(place.clone, "test_data.txt", "ghp_0123456789abcdefghijklmnopqrstuvwxyz")

    assert settled(worker, spec, place).kind is OutcomeKind.SUCCEEDED


@pytest.mark.parametrize(
    ("what", "ref", "said"),
    [
        (("origin", "HEAD:main"), "refs/heads/main", "moved"),
        (("--force", "origin", "HEAD:theirs"), "refs/heads/theirs", "moved"),
        (("origin", "HEAD:refs/heads/issue-4711"), "refs/heads/issue-4711", "created"),
    ],
)
def test_push_to_a_branch_that_is_not_its_own_fails_the_run(
    worker: Worker, spec: TaskSpec, place: Workspace, what: tuple[str, ...], ref: str, said: str
) -> None:
    commit(place.clone, "fix.txt")
    push(worker, place, *what)

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "forbidden_push")
    assert f"{ref} was {said}" in outcome.message


def test_what_others_did_meanwhile_is_told_and_blamed_on_nobody(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    hub.add_commit(REPO, "main", {"merged.txt": "1"})
    hub.add_commit(REPO, "issue-4711", {"work.txt": "1"})  # another worker's
    person = ["origin", "HEAD:refs/tags/v1"]
    push(worker, place, *person)
    push(worker, place, "origin", ":gone")
    run(place.clone, "-c", "http.extraHeader=Authorization: Bearer bot-token", "fetch", "-q")
    commit(place.clone, "fix.txt")

    outcome = settled(worker, spec, place)

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert outcome.elsewhere == (
        "refs/heads/gone deleted by bot",  # by its own account, which others may use as well
        "refs/heads/main moved by acme",
        "refs/tags/v1 created",
    )


def test_secret_in_the_name_of_a_branch_is_not_told(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    hub.add_commit(REPO, f"leak/{SECRET}", {"x.txt": "1"})
    commit(place.clone, "fix.txt")

    assert settled(worker, spec, place).elsewhere == ("refs/heads/leak/[redacted] created by acme",)


def test_commits_that_a_run_found_on_its_branch_and_dropped_are_told(
    worker: Worker, spec: TaskSpec, hub: GitHubStandIn
) -> None:
    theirs = hub.add_commit(REPO, spec.branch, {"earlier.txt": "1"})
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    run(place.clone, "reset", "-q", "--hard", "origin/main")
    commit(place.clone, "fix.txt")
    push(worker, place, "--force", "origin", "HEAD")

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "overwritten")
    assert outcome.lost == (theirs,)
    assert theirs in outcome.message


@pytest.mark.parametrize("traces", ["kept", "removed"])
@pytest.mark.parametrize("whose", ["somebody's", "its own"])
def test_what_came_between_two_runs_and_was_never_fetched_is_seen_by_value(
    tmp_path: Path, git_repo: Path, whose: str, traces: str
) -> None:
    """Of a remote that tells of no pushes."""
    bare = tmp_path / "bare.git"
    run(tmp_path, "clone", "-q", "--bare", str(git_repo), str(bare))
    worker = Worker.make(tmp_path)
    spec = worker.path_spec(bare)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    start = Start(branch=spec.branch, base=place.base, base_sha=place.base_sha)
    tip = commit(place.clone, "ours.txt")
    run(place.clone, "push", "-q", "origin", "HEAD")
    if whose == "somebody's":
        tree = run(bare, "rev-parse", f"{tip}^{{tree}}")
        tip = run(bare, "commit-tree", tree, "-p", tip, "-m", "Theirs")
        run(bare, "update-ref", f"refs/heads/{spec.branch}", tip)
    preparing.prepare(worker.git(spec), spec, resume=True)
    run(place.clone, "commit", "-q", "--amend", "-m", "Other words")
    run(place.clone, "push", "-q", "--force", "origin", "HEAD")
    if traces == "removed":
        shutil.rmtree(place.clone / ".git" / "logs")

    clone = {"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
    outcome = settle(
        EndedRun(
            task=spec,
            run=make_journal().run.model_copy(update=clone),
            github=None,
            process=FINISHED,
            progress=Progress(turns=3, result=Result(report="Fixed it.")),
            now=NOW + timedelta(seconds=5),
            defer=timedelta(minutes=10),
            redact=redactor({}),
            start=start,
            ours={tip} if whose == "its own" else set(),
        ),
        worker.git(spec),
    )

    theirs = whose == "somebody's"
    assert outcome.reason == ("overwritten" if theirs else "done")
    assert outcome.lost == ((tip,) if theirs else ())
