"""Why checks are red, as the client reads it of the stand-in over HTTP; jobs that run again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cw.errors import (
    BadTokenError,
    GitHubLimitError,
    GitHubRefusedError,
    GitHubUnavailableError,
    GoneError,
)
from cw.forges.repairing import LOG_CHARS, NOTES, Failure, Note
from cw.forges.watched import CheckState, PullName
from cw.github.client import GitHub
from tests.kept import Memory
from tests.standins.github import Annotation, GitHubStandIn, Job, Pushed

REPO = "acme/app"
TEST = "CI / test"


@pytest.fixture
def github(hub: GitHubStandIn) -> GitHub:
    return GitHub(hub.api_url, "bot-token", pace=0)


def good_or_bad(pushed: Pushed) -> Iterable[Job]:
    good = pushed.file("answer.txt") == "42\n"
    yield Job(name="lint")
    yield Job(
        name="test",
        conclusion="success" if good else "failure",
        log="" if good else "\x1b[31mFAILED\x1b[0m test_answer\n##[error]exit code 1.\nCleaning up",
        annotations=() if good else (Annotation("answer.txt", 1, "it is not 42"),),
    )


def push(hub: GitHubStandIn, text: str) -> str:
    return hub.add_commit(REPO, "issue-1", {"answer.txt": text})


def only(github: GitHub, head: str, *names: str) -> Failure:
    (found,) = github.failures(REPO, head, names or (TEST,), Memory())
    return found


def test_jobs_begin_by_themselves_and_say_why_they_are_red(
    hub: GitHubStandIn, github: GitHub
) -> None:
    hub.ci = good_or_bad
    head = push(hub, "41\n")

    found = only(github, head, TEST, "CI / lint", "not there")

    assert (found.name, found.conclusion) == (TEST, "failure")
    assert found.log == "FAILED test_answer\n##[error]exit code 1."
    assert found.no_log == ""
    assert found.notes == (Note(path="answer.txt", line=1, message="it is not 42"),)
    assert found.url.endswith("/actions/runs/{}/job/{}".format(*found.rerunnable.split("/")))
    assert found.started_at
    assert found.completed_at

    assert github.failures(REPO, push(hub, "42\n"), [TEST], Memory()) == ()


def test_only_the_named_ones_cost_anything(hub: GitHubStandIn, github: GitHub) -> None:
    head = push(hub, "41\n")
    for name in ("one", "two", "three"):
        hub.check(REPO, head, name, "failure", log="it failed")
    hub.requests.clear()

    github.failures(REPO, head, ["CI / two"], Memory())

    asked = [(one.method, one.path.rpartition("/")[2]) for one in hub.requests]
    assert [last for _, last in asked[:2]] == ["graphql", "logs"]
    assert [last for _, last in asked[3:]] == ["annotations"]


def test_logs_cost_nothing_where_nobody_wants_them(hub: GitHubStandIn, github: GitHub) -> None:
    head = push(hub, "41\n")
    note = Annotation("answer.txt", 1, "it is not 42")
    hub.check(REPO, head, "test", "failure", log="it failed", annotations=[note])
    hub.requests.clear()

    (found,) = github.failures(REPO, head, [TEST], Memory(), logs=False)

    assert [one.path.rpartition("/")[2] for one in hub.requests] == ["graphql", "annotations"]
    assert (found.log, found.no_log) == ("", "nobody asked for it")
    assert found.notes
    assert found.completed_at


def test_log_is_asked_of_another_machine_without_the_token(
    hub: GitHubStandIn, github: GitHub
) -> None:
    """Which refuses those who bring one."""
    head = push(hub, "41\n")
    hub.check(REPO, head, "test", "timed_out", log="too slow")

    assert only(github, head).log == "too slow"
    assert "//127.0.0.2:" in hub.state.logs_url


def test_long_ones_are_cut(hub: GitHubStandIn, github: GitHub) -> None:
    head = push(hub, "41\n")
    notes = [Annotation("a", at, "x" * 1000, "notice") for at in range(30)]
    worst = Annotation("b", 7, "the reason")
    log = "\n".join(f"line {at}" for at in range(100_000))
    hub.check(REPO, head, "test", "failure", log=log, title="t" * 999, annotations=[*notes, worst])

    found = only(github, head)

    assert len(found.log) <= LOG_CHARS
    assert found.log.endswith("line 99999")
    assert len(found.title) == 200
    assert found.notes[0] == Note(path="b", line=7, message="the reason")
    assert len(found.notes) == NOTES
    assert found.more_notes == 11
    assert len(found.notes[1].message) == 500


def test_statuses_and_checks_of_other_apps_have_no_log_and_nothing_runs_them_again(
    hub: GitHubStandIn, github: GitHub
) -> None:
    head = push(hub, "41\n")
    hub.set_status(REPO, head, "legacy", "error")
    hub.check(REPO, head, "coverage", "failure", workflow="", summary="40 %")

    status, other = github.failures(REPO, head, ["legacy", "coverage"], Memory())

    assert (status.conclusion, status.log, status.rerunnable) == ("error", "", "")
    assert (other.name, other.summary, other.log, other.rerunnable) == ("coverage", "40 %", "", "")
    assert (status.no_log, other.no_log) == ("a status has none", "no job of GitHub Actions")


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (404, "GitHub knows no log of job"),
        (410, "GitHub has no log of job"),
        (403, "GitHub refused: 403"),
    ],
)
def test_log_that_is_absent_or_refused_is_said(
    hub: GitHubStandIn, github: GitHub, status: int, why: str
) -> None:
    head = push(hub, "41\n")
    hub.check(REPO, head, "test", "failure", log="it failed")
    hub.fault(path_regex="/logs$", status=status, body={"message": "No."})

    found = only(github, head)

    assert found.log == ""
    assert why in found.no_log
    assert found.rerunnable


@pytest.mark.parametrize("status", [401, 403, 500])
def test_log_that_cannot_be_had_where_it_lies_is_said(
    hub: GitHubStandIn, github: GitHub, status: int
) -> None:
    head = push(hub, "41\n")
    hub.check(REPO, head, "test", "failure", log="it failed")
    hub.fault(path_regex="^/_logs/", status=status, times=None)

    assert "could not be read" in only(github, head).no_log


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"message": "Bad credentials"}, BadTokenError),
        (429, {"message": "slow down"}, GitHubLimitError),
        (200, {"message": "here"}, GitHubUnavailableError),
    ],
)
def test_trouble_that_passes_is_not_taken_for_a_log_that_is_not_there(
    hub: GitHubStandIn,
    github: GitHub,
    status: int,
    body: dict[str, str],
    error: type[Exception],
) -> None:
    head = push(hub, "41\n")
    hub.check(REPO, head, "test", "failure", log="it failed")
    hub.fault(path_regex="/logs$", status=status, body=body, times=None)

    with pytest.raises(error):
        github.failures(REPO, head, [TEST], Memory())


def test_log_that_the_token_may_not_read_is_said_with_what_it_lacks(
    hub: GitHubStandIn, github: GitHub
) -> None:
    head = push(hub, "41\n")
    hub.check(REPO, head, "test", "failure", log="it failed")
    hub.fault(
        path_regex="/logs$",
        status=403,
        body={"message": "Resource not accessible by integration"},
        headers={"X-Accepted-GitHub-Permissions": "actions=read"},
    )

    assert "Give the token actions: read" in only(github, head).no_log


def test_job_that_runs_again_is_another_run_of_the_check(
    hub: GitHubStandIn, github: GitHub
) -> None:
    def flaky(pushed: Pushed) -> Iterable[Job]:
        yield Job(name="test", conclusion="failure" if pushed.attempt == 1 else "success")

    hub.ci = flaky
    head = push(hub, "41\n")
    before = only(github, head)

    github.rerun(REPO, [before.rerunnable])

    assert github.failures(REPO, head, [TEST], Memory()) == ()


def test_several_jobs_of_a_run_run_again_together(hub: GitHubStandIn, github: GitHub) -> None:
    """Once one of them runs GitHub refuses the others."""
    head = push(hub, "41\n")
    for name, workflow in (("test", "CI"), ("lint", "CI"), ("docs", "Site")):
        hub.check(REPO, head, name, "failure", workflow=workflow)
    names = [TEST, "CI / lint", "Site / docs"]
    found = github.failures(REPO, head, names, Memory())

    github.rerun(REPO, [one.rerunnable for one in found])

    assert len(found) == 3
    assert github.failures(REPO, head, names, Memory()) == ()
    hub.let_go(REPO, head)
    assert len(github.failures(REPO, head, names, Memory())) == 3


def test_job_runs_again_until_it_is_let_go(hub: GitHubStandIn, github: GitHub) -> None:
    head = push(hub, "41\n")
    number = hub.add_pull(REPO, "issue-1", "Fix", author="bot")
    hub.check(REPO, head, "test", "failure", log="it failed")
    before = only(github, head)
    name = PullName(REPO, number)

    github.rerun(REPO, [before.rerunnable])
    pending = github.watch(Memory()).looks([name])[name].checks
    with pytest.raises(GitHubRefusedError, match="already running"):
        github.rerun(REPO, [before.rerunnable])
    hub.let_go(REPO, head)
    after = only(github, head)

    assert [check.state for check in pending] == [CheckState.PENDING]
    assert after.rerunnable != before.rerunnable


def test_job_of_last_month_does_not_run_again(tmp_path: Path) -> None:
    later = [timedelta(0)]
    with GitHubStandIn(tmp_path / "hub", clock=lambda: datetime.now(UTC) + later[0]) as hub:
        hub.add_repo(REPO)
        hub.add_user("bot", "bot-token", {REPO: "write"})
        github = GitHub(hub.api_url, "bot-token", pace=0)
        head = push(hub, "41\n")
        hub.check(REPO, head, "test", "failure")
        job = only(github, head).rerunnable
        later[0] = timedelta(days=31)

        with pytest.raises(GitHubRefusedError, match="over a month ago"):
            github.rerun(REPO, [job])


@pytest.mark.parametrize("job", ["", "77", "7/77/../../9", "x"])
def test_what_is_no_job_is_not_asked_for(hub: GitHubStandIn, github: GitHub, job: str) -> None:
    with pytest.raises(GitHubRefusedError, match="no check"):
        github.rerun(REPO, [job])

    assert len(hub.requests) == 0


def test_unknown_job_is_gone(github: GitHub) -> None:
    with pytest.raises(GoneError):
        github.rerun(REPO, ["7/77"])


def test_commit_without_checks_or_that_is_not_there_has_no_failures(
    hub: GitHubStandIn, github: GitHub
) -> None:
    assert github.failures(REPO, push(hub, "41\n"), [TEST], Memory()) == ()
    assert github.failures(REPO, "0" * 40, [TEST], Memory()) == ()
