"""Settling against git and GitHub: proven, put right where it can be, never doubled."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from cw.errors import LostServerError
from cw.github.client import GitHub
from cw.models import Outcome, TaskSpec
from cw.redaction.redact import Redactor
from cw.states import OutcomeKind
from tests.integration.cloning import REPO, Worker, commit, fork_server_killed, run
from tests.making import NOW, make_journal
from tests.standins.github import GitHubStandIn
from tests.waiting import wait_until
from workerhost.clones import preparing
from workerhost.clones.bounded import Limits, bounded
from workerhost.clones.workspace import Workspace
from workerhost.programs.progress import Progress, Result
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import FINISHED, Verdict

KILLED = Verdict(OutcomeKind.FAILED, "killed", "it was killed")


@pytest.fixture
def worker(hub: GitHubStandIn, tmp_path: Path) -> Worker:
    return Worker.make(tmp_path, hub)


@pytest.fixture
def spec(worker: Worker, hub: GitHubStandIn) -> TaskSpec:
    number = hub.add_issue(REPO, "The build fails", "It says: no rule.")
    return worker.spec(issue=number)


@pytest.fixture
def place(worker: Worker, spec: TaskSpec) -> Workspace:
    return preparing.prepare(worker.git(spec), spec, resume=False)


def settled(
    worker: Worker,
    spec: TaskSpec,
    place: Workspace,
    process: Verdict = FINISHED,
    report: str = "Fixed it.",
) -> Outcome:
    assert worker.hub
    begun = make_journal().run.model_copy(
        update={"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
    )
    return settle(
        EndedRun(
            task=spec,
            run=begun,
            github=GitHub(worker.hub.api_url, "bot-token", pace=0),
            process=process,
            progress=Progress(turns=3, cost_usd=0.5, result=Result(report=report)),
            now=NOW + timedelta(seconds=5),
            defer=timedelta(minutes=10),
            redact=Redactor(),
        ),
        worker.git(spec),
    )


def test_commits_without_push_or_pull_request_get_both(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    head = commit(place.clone, "fix.txt")

    outcome = settled(worker, spec, place)

    (pull,) = hub.pulls(REPO)
    assert (outcome.kind, outcome.head, outcome.commits) == (OutcomeKind.SUCCEEDED, head, 1)
    assert (pull.head_sha, pull.title, pull.base) == (head, "The build fails", "main")
    assert f"Fixes #{spec.issue}" in (pull.body or "")
    assert outcome.pr.endswith(f"/{pull.number}")
    assert (outcome.pushed, outcome.turns, outcome.cost_usd) == (True, 3, 0.5)


def test_words_of_agent_and_issue_act_nowhere(worker: Worker, hub: GitHubStandIn) -> None:
    """What is closed is the task's own issue, by the host's own line."""
    number = hub.add_issue(REPO, "Fixes acme/other#9, says @acme", "It says: no rule.")
    spec = worker.spec(issue=number).model_copy(update={"title": "Fixes acme/other#9, says @acme"})
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "fix.txt")
    report = "Closes #2 for @acme <!-- cw:1 --> ![x](http://e.dev/x.png) <b>bold</b>\n\n```\nopen"

    settled(worker, spec, place, report=report)

    (pull,) = hub.pulls(REPO)
    assert pull.title == "Fixes acme/other# 9, says @ acme"
    assert (pull.body or "").startswith(
        f"Fixes #{number}\n\nCloses `#2` for `@acme`  (image: `http://e.dev/x.png`)"
        " `<b>`bold`</b>`\n\n```\nopen\n```\n\n---\nOpened by"
    )


def test_settling_twice_opens_one_pull_request(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    commit(place.clone, "fix.txt")

    first, second = settled(worker, spec, place), settled(worker, spec, place)

    assert first == second
    assert len(hub.pulls(REPO)) == 1


@pytest.mark.parametrize("drop", [False, True], ids=["502", "no answer"])
def test_pull_request_whose_answer_was_lost_is_not_opened_twice(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn, drop: bool
) -> None:
    commit(place.clone, "fix.txt")
    hub.fault(method="POST", path_regex="/pulls$", after_effect=True, drop=drop)

    first, second = settled(worker, spec, place), settled(worker, spec, place)

    assert first.kind in {OutcomeKind.DEFERRED, OutcomeKind.SUCCEEDED}
    assert second.kind is OutcomeKind.SUCCEEDED
    assert len(hub.pulls(REPO)) == 1


def test_github_that_is_away_defers_and_loses_nothing(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    head = commit(place.clone, "fix.txt")
    hub.fault(path_regex="/pulls", status=503, times=None)

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, "github_unavailable")
    assert outcome.retry_at is not None
    assert (outcome.head, outcome.pushed) == (head, True)


def test_remote_that_is_away_defers(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    commit(place.clone, "fix.txt")
    hub.fault(path_regex="info/refs", status=503, times=None)

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, "remote_unavailable")


def test_push_that_the_remote_cannot_take_now_defers(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    commit(place.clone, "fix.txt")
    hub.fault(method="POST", path_regex="git-receive-pack", status=503)

    outcome = settled(worker, spec, place)
    later = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, "remote_unavailable")
    assert later.kind is OutcomeKind.SUCCEEDED


def test_what_was_lost_with_the_fork_server_is_done_again_before_it_is_believed(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    head = commit(place.clone, "fix.txt")
    push = hub.fault(method="POST", path_regex="git-receive-pack", status=0, delay=60)

    with fork_server_killed(once=lambda: bool(push.hits)):
        outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.head) == (OutcomeKind.SUCCEEDED, head), outcome
    assert hub.heads(REPO)[outcome.branch] == head


def test_what_outlives_the_fork_server_with_a_command_s_pipes_holds_nobody_up(
    tmp_path: Path,
) -> None:
    """As a bwrap does whose parent was killed before it had said that it may go on."""
    written = tmp_path / "pid"
    left = ["sh", "-c", f"sleep 300 & echo $! >{written}; wait"]

    with (
        fork_server_killed(
            once=lambda: written.exists() and bool(written.read_text("ascii").strip())
        ),
        pytest.raises(LostServerError),
    ):
        bounded(left, cwd=Path("/"), env={"PATH": os.defpath}, limits=Limits(seconds=200))

    pid = int(written.read_text("ascii"))
    wait_until(lambda: not psutil.pid_exists(pid), what="its end")


def test_pull_request_of_a_fork_with_the_same_branch_name_is_not_ours(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    hub.add_user("somebody")
    hub.add_repo("somebody/app", fork_of=REPO)
    hub.add_commit("somebody/app", spec.branch, {"theirs.txt": "x"})
    theirs = hub.add_pull(REPO, f"somebody:{spec.branch}", "Theirs")
    commit(place.clone, "fix.txt")

    outcome = settled(worker, spec, place)

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert not outcome.pr.endswith(f"/{theirs}")
    assert len(hub.pulls(REPO)) == 2


def test_closed_pull_request_of_an_earlier_task_is_not_taken_for_this_one(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    hub.add_commit(REPO, spec.branch, {"old.txt": "x"})
    old = hub.add_pull(REPO, spec.branch, "Old")
    hub.close_issue(REPO, old)
    place = preparing.prepare(worker.git(spec), spec, resume=False)
    commit(place.clone, "fix.txt")

    outcome = settled(worker, spec, place)

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert not outcome.pr.endswith(f"/{old}")


def test_commits_of_others_on_the_branch_fail_the_run_and_stay(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    commit(place.clone, "fix.txt")
    theirs = hub.add_commit(REPO, spec.branch, {"theirs.txt": "x"})

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "not_pushed")
    assert hub.heads(REPO)[spec.branch] == theirs


def test_uncommitted_work_fails_and_is_kept(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    (place.clone / "half.txt").write_text("half", "utf-8")

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "uncommitted")
    refs = run(place.clone, "for-each-ref", "refs/cw/wip")
    assert spec.id.lower() in refs


def test_commits_of_a_killed_run_are_pushed_and_nothing_more_is_done_for_it(
    worker: Worker, spec: TaskSpec, place: Workspace, hub: GitHubStandIn
) -> None:
    head = commit(place.clone, "fix.txt")

    outcome = settled(worker, spec, place, KILLED)

    assert (outcome.kind, outcome.reason, outcome.head) == (OutcomeKind.FAILED, "killed", head)
    assert (outcome.pushed, outcome.pr) == (True, "")
    assert hub.heads(REPO)[spec.branch] == head
    assert hub.pulls(REPO) == []


def test_clone_that_the_agent_removed_is_a_failure_not_a_crash(
    worker: Worker, spec: TaskSpec, place: Workspace
) -> None:
    place.clone.rename(worker.home.path / "away")

    outcome = settled(worker, spec, place)

    assert (outcome.kind, outcome.commits, outcome.head) == (OutcomeKind.FAILED, 0, "")
