"""Kind: passing or final is guessed from words, and the guess repeats the agent. Real git, over
http and https, against what remotes and proxies do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cw.errors import UnavailableError, WorkspaceError
from cw.models import TaskSpec
from cw.states import OutcomeKind, State
from tests.integration.cloning import REPO, Worker, commit, push, run
from tests.integration.hosting import Machine, machine
from tests.needs import require
from tests.standins.github import GitHubStandIn
from tests.standins.github.tunnels import TROUBLES, Trouble
from tests.waiting import wait_until
from tests.walls import WALLS
from workerhost.clones import preparing
from workerhost.clones.evidence import Pushed


@pytest.fixture
def worker(any_hub: GitHubStandIn, tmp_path: Path) -> Worker:
    require(WALLS, "bubblewrap and socat that work")
    return Worker.make(tmp_path, any_hub)


def hook(hub: GitHubStandIn, said: str) -> None:
    path = hub.state.repos[REPO].path / "hooks" / "pre-receive"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n", "utf-8")
    path.chmod(0o755)


def ruleset(hub: GitHubStandIn) -> None:
    hook(hub, "error: GH013: Repository rule violations found for refs/heads/issue-22.\n- No.")


def large(hub: GitHubStandIn) -> None:
    hook(hub, "error: File big.bin is 120 MB\nerror: GH001: Large files detected.")


def red(hub: GitHubStandIn) -> None:
    hook(hub, "The tests are red.")


def taken(hub: GitHubStandIn) -> None:
    hub.add_commit(REPO, "issue-22/part", {"x": "x"})


def archived(hub: GitHubStandIn) -> None:
    hub.state.repos[REPO].archived = True


def status(number: int) -> Callable[[GitHubStandIn], object]:
    return lambda hub: hub.fault(
        path_regex="/git-receive-pack|info/refs", status=number, times=None
    )


def away(hub: GitHubStandIn) -> None:
    hub.fault(path_regex="/git-receive-pack", drop=True, times=None)


PUSHES: dict[str, tuple[Callable[[GitHubStandIn], object], bool, str]] = {
    "ruleset": (ruleset, False, "GH013"),
    "large file": (large, False, "big.bin"),
    "hook": (red, False, "The tests are red."),
    "name taken": (taken, False, "issue-22/part"),
    "archived": (archived, False, "archived"),
    "401": (status(401), False, ""),
    "403": (status(403), False, "403"),
    "429": (status(429), True, "429"),
    "500": (status(500), True, "500"),
    "502": (status(502), True, "502"),
    "503": (status(503), True, "503"),
    "418": (status(418), True, "418"),
    "hangs up": (away, True, ""),
}


@pytest.mark.parametrize("name", PUSHES)
def test_push_that_does_not_work_says_why_and_whether_it_may_pass(
    worker: Worker, any_hub: GitHubStandIn, name: str
) -> None:
    spoil, passing, words = PUSHES[name]
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    head = commit(place.clone, "fix.txt")
    spoil(any_hub)

    said = push(worker.git(spec), place)

    assert (said.away, bool(said.error)) == (passing, True), said
    assert words in said.error
    assert head not in said.error


def test_person_s_wish_for_signed_pushes_is_none_of_the_host_s(
    worker: Worker, any_hub: GitHubStandIn
) -> None:
    spec = worker.spec()
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    (worker.home.path / ".gitconfig").write_text("[push]\n\tgpgSign = true\n", "utf-8")
    head = commit(place.clone, "fix.txt")

    assert push(worker.git(spec), place) == Pushed()
    assert any_hub.heads(REPO)["issue-22"] == head


_FINAL: set[Trouble] = {"refused", "expired", "another name", "unknown authority"}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_of_a_tunnel_passes_unless_somebody_has_to_mend_it(
    tmp_path: Path, trouble: Trouble
) -> None:
    require(WALLS, "bubblewrap and socat that work")
    with GitHubStandIn(tmp_path / "hub", https=True) as hub:
        hub.add_repo(REPO, files={"README.md": "# app\n"})
        hub.add_user("bot", "bot-token", {REPO: "write"})
        worker = Worker.make(tmp_path, hub)
        spec = worker.spec()
        hub.trouble(trouble)

        with pytest.raises(WorkspaceError if trouble in _FINAL else UnavailableError):
            preparing.prepare(worker.git(spec), spec, resume=False)


def test_host_that_nobody_may_ask_is_said_as_such(worker: Worker) -> None:
    spec = worker.spec(repo_url="https://elsewhere.invalid/acme/app.git")
    git = worker.git(worker.spec())

    with pytest.raises(WorkspaceError, match=r"the proxy's refusal: .*elsewhere\.invalid") as found:
        preparing.prepare(git, spec, resume=False)
    assert "CW_ALLOWED_DOMAINS" in found.value.hint


WORKS = "rehearse: pace 0.05\n"
PATIENT = {"CW_DEFER_SECONDS": "2", "CW_MAX_DEFERRALS": "2"}


def locked(here: Machine, spec: TaskSpec) -> Path:
    """Somebody writes to the branch at the remote just now."""
    path = here.repo / ".git" / "refs" / "heads" / f"{spec.branch}.lock"
    path.touch()
    return path


def test_only_the_step_is_repeated_and_each_wait_has_the_remote_s_words(git_repo: Path) -> None:
    with machine(git_repo, CW_DEFER_SECONDS="10", CW_MAX_DEFERRALS="6") as here:
        here.start()
        spec = here.record(WORKS)
        lock = locked(here, spec)
        here.hint(spec)

        def waits() -> bool:
            return any("cannot lock ref" in one.text for one in here.events(spec))

        wait_until(waits, 60, here.log)
        lock.unlink()
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert (len(here.agents()), task.attempt) == (1, 1)


def test_patience_ends_without_another_agent(git_repo: Path) -> None:
    with machine(git_repo, **PATIENT) as here:
        here.start()
        spec = here.record(WORKS)
        locked(here, spec)
        here.hint(spec)

        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert (task.outcome.kind, task.outcome.reason) == (
            OutcomeKind.FAILED,
            "remote_unavailable",
        )
        assert "cannot lock ref" in task.outcome.message
        assert (len(here.agents()), task.attempt) == (1, 1)


def test_step_that_takes_long_is_not_in_vain_before_it_was_tried_often(git_repo: Path) -> None:
    tries, hook = git_repo / ".git" / "tries", git_repo / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho try >>{tries}\nsleep 1\n", "ascii")
    hook.chmod(0o755)
    tries.touch()
    tries.chmod(0o666)
    with machine(git_repo, CW_DEFER_SECONDS="0.1", CW_MAX_DEFERRALS="4") as here:
        here.start()
        spec = here.record(WORKS)
        locked(here, spec)
        here.hint(spec)

        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.reason == "remote_unavailable", task.outcome
        assert len(tries.read_text("ascii").splitlines()) > 4


def test_branch_below_the_task_s_own_is_final_at_once(git_repo: Path) -> None:
    with machine(git_repo) as here:
        here.start()
        spec = here.record(WORKS)
        run(here.repo, "branch", f"{spec.branch}/part")
        here.hint(spec)

        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert (task.outcome.kind, task.outcome.reason) == (OutcomeKind.FAILED, "not_pushed")
        assert f"{spec.branch}/part" in task.outcome.message
        assert (len(here.agents()), task.attempt) == (1, 1)
