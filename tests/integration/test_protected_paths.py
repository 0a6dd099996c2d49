"""A pull request that changes protected paths is a draft with a note, whoever opened it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from cw.github.client import GitHub
from cw.models import Outcome, TaskSpec
from cw.operations.dispatch.branches import another_tasks
from cw.operations.rest.writes import on_outcome
from cw.redaction.redact import redactor
from cw.states import OutcomeKind
from cw.store.store import Store
from tests.integration.cloning import REPO, Worker, commit, push, run
from tests.integration.test_store_leases import created
from tests.making import NOW, make_journal
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing
from workerhost.clones.evidence import Pushed
from workerhost.clones.protected_changes import UNKNOWN
from workerhost.clones.workspace import Workspace
from workerhost.github.delivered_writes import Delivered
from workerhost.github.outbox_delivery import Deliverer
from workerhost.programs.progress import Progress, Result
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import FINISHED, Verdict

FLOW = ".github/workflows/ci.yml"
KILLED = Verdict(OutcomeKind.FAILED, "killed", "it was killed")


class Bench:
    """A clone in which an agent has worked, and what its host does then."""

    def __init__(self, worker: Worker, hub: GitHubStandIn, store: Store) -> None:
        self.worker, self.hub, self.store = worker, hub, store
        self.spec: TaskSpec = worker.spec(issue=hub.add_issue(REPO, "Title", "Text"))
        self.git = worker.git(self.spec)
        self.place: Workspace = preparing.prepare(self.git, self.spec, resume=False)
        self.started_at = datetime.now(UTC)
        self.attempt = 1
        self.github = GitHub(hub.api_url, "bot-token", pace=0)
        (self.place.clone / ".github" / "workflows").mkdir(parents=True)

    def push(self) -> None:
        assert push(self.git, self.place) == Pushed()

    def settle(self, process: Verdict = FINISHED, secret: str = "") -> Outcome:
        """And carry out what follows from it."""
        place = self.place
        update = {
            "clone": str(place.clone),
            "base": place.base,
            "base_sha": place.base_sha,
            "started_at": self.started_at,
            "attempt": self.attempt,
        }
        outcome = settle(
            EndedRun(
                task=self.spec,
                run=make_journal().run.model_copy(update=update),
                github=self.github,
                process=process,
                progress=Progress(turns=3, result=Result(report="Fixed it.")),
                now=NOW,
                defer=timedelta(minutes=10),
                redact=redactor({"GH_TOKEN": secret}),
                theirs=partial(another_tasks, self.store, self.spec),
            ),
            self.git,
        )
        self.store.outbox.add("here", on_outcome(self.spec, "01", 1, outcome, ""))
        memory = Delivered(place.clone.parent / "delivered.txt")
        Deliverer(self.store.outbox, "here", memory, lambda _: self.github).deliver()
        return outcome

    def pull(self) -> tuple[bool, list[str]]:
        """Whether the only pull request is a draft, and its notes."""
        (pull,) = self.hub.pulls(REPO)
        return pull.draft, [one.body for one in pull.comments]


@pytest.fixture
def bench(hub: GitHubStandIn, tmp_path: Path, store: Store) -> Bench:
    return Bench(Worker.make(tmp_path, hub), hub, store)


def test_host_opens_a_draft_and_says_why_once(bench: Bench) -> None:
    commit(bench.place.clone, FLOW)
    commit(bench.place.clone, "src.py")

    outcome = bench.settle()
    bench.settle()

    draft, (note,) = bench.pull()
    assert draft
    assert not bench.hub.requests.matching(operation="Draft")  # it never was anything else
    assert f"- `{FLOW}`\n" in note
    assert "src.py" not in note
    assert (outcome.kind, outcome.protected) == (OutcomeKind.SUCCEEDED, (FLOW,))
    assert outcome.message == (
        f"2 commits pushed, pull request open; it changes protected paths: {FLOW}"
    )


def test_paths_of_the_settings_are_protected_as_well(
    hub: GitHubStandIn, tmp_path: Path, store: Store
) -> None:
    worker = Worker.make(tmp_path, hub)
    more = replace(worker.settings, protected_paths=("/deploy/", "*.lock"))
    bench = Bench(replace(worker, settings=more), hub, store)
    commit(bench.place.clone, "uv.lock")

    assert bench.settle().protected == ("uv.lock",)


def test_other_changes_are_no_draft(bench: Bench) -> None:
    commit(bench.place.clone, "src.py")

    outcome = bench.settle()

    assert bench.pull() == (False, [])
    assert outcome.protected == ()


@pytest.mark.parametrize("process", [FINISHED, KILLED], ids=["done", "killed"])
def test_pull_request_of_the_agent_becomes_a_draft(bench: Bench, process: Verdict) -> None:
    commit(bench.place.clone, FLOW)
    bench.push()
    bench.hub.add_pull(REPO, bench.spec.branch, "By the agent", author="bot")

    bench.settle(process)
    bench.settle(process)

    draft, notes = bench.pull()
    assert (draft, len(notes)) == (True, 1)


def test_what_the_agent_says_of_its_history_is_not_believed(bench: Bench) -> None:
    clone = bench.place.clone
    harmless = commit(clone, "src.py")
    head = commit(clone, FLOW)
    run(clone, "update-ref", "refs/remotes/origin/main", harmless)
    run(clone, "replace", head, harmless)

    outcome = bench.settle()

    assert outcome.protected == (FLOW,)
    assert bench.pull()[0]


def test_amended_after_the_push_is_a_draft_all_the_same(bench: Bench) -> None:
    commit(bench.place.clone, FLOW)
    bench.push()
    bench.hub.add_pull(REPO, bench.spec.branch, "By the agent", author="bot")
    run(bench.place.clone, "commit", "-q", "--amend", "-m", "Another message")

    outcome = bench.settle()

    assert (outcome.reason, outcome.protected) == ("not_pushed", (FLOW,))
    assert outcome.pr
    assert bench.pull()[0]


@pytest.mark.parametrize("process", [FINISHED, KILLED], ids=["done", "killed"])
def test_pushed_from_another_clone_is_a_draft_all_the_same(bench: Bench, process: Verdict) -> None:
    bench.hub.add_commit(REPO, bench.spec.branch, {FLOW: "on: push\n"})
    bench.hub.add_pull(REPO, bench.spec.branch, "Pushed from elsewhere", author="bot")

    outcome = bench.settle(process)
    bench.settle(process)

    draft, (note,) = bench.pull()
    assert (outcome.commits, outcome.protected, draft) == (0, (FLOW,), True)
    assert f"- `{FLOW}`\n" in note


@pytest.mark.parametrize("process", [FINISHED, KILLED], ids=["done", "killed"])
@pytest.mark.parametrize("where", ["theirs", "fork"])
def test_pull_request_from_another_branch_is_a_draft_and_told(
    bench: Bench, process: Verdict, where: str
) -> None:
    head = "task-zzz"
    if where == "fork":
        bench.hub.add_repo("bot/app", fork_of=REPO)
        head = "bot:task-zzz"
    bench.hub.add_commit("bot/app" if where == "fork" else REPO, "task-zzz", {FLOW: "on: push\n"})
    number = bench.hub.add_pull(REPO, head, "Another branch", author="bot")
    commit(bench.place.clone, "src.py")

    outcome = bench.settle(process)

    (url,) = outcome.also_protected
    other = next(one for one in bench.hub.pulls(REPO) if one.number == number)
    assert (outcome.protected, outcome.also_protected[url]) == ((), (FLOW,))
    assert f"it also opened {url}, which changes protected paths: {FLOW}" in outcome.message
    assert (other.draft, len(other.comments)) == (True, 1)
    assert url.endswith(f"/{number}")


def test_pull_request_of_another_task_is_left_to_that(bench: Bench) -> None:
    """All workers may use one account."""
    created(bench.store, repo=REPO, issue=77)
    for branch in ("issue-77", "issue-78"):
        bench.hub.add_commit(REPO, branch, {FLOW: "on: push\n"})
        bench.hub.add_pull(REPO, branch, branch, author="bot")
    commit(bench.place.clone, "src.py")

    outcome = bench.settle()

    assert len(outcome.also_protected) == 1
    drafts = {one.head: one.draft for one in bench.hub.pulls(REPO)}
    assert (drafts["issue-77"], drafts["issue-78"]) == (False, True)


def test_run_with_a_secret_has_its_pull_request_looked_at_too(bench: Bench) -> None:
    secret = "7dK2mQ9xV4tB1nR8wZ5cH3jL6pS0yF2gA4eU"
    commit(bench.place.clone, FLOW, secret)
    bench.push()
    bench.hub.add_pull(REPO, bench.spec.branch, "By the agent", author="bot")

    outcome = bench.settle(secret=secret)

    assert (outcome.reason, outcome.protected) == ("secret_pushed", (FLOW,))
    assert bench.pull()[0]


def test_task_without_an_issue_is_looked_at_too(bench: Bench) -> None:
    bench.spec = bench.spec.model_copy(update={"issue": None, "title": ""})
    bench.hub.add_commit(REPO, bench.spec.branch, {FLOW: "on: push\n"})
    bench.hub.add_pull(REPO, bench.spec.branch, "By the agent", author="bot")

    assert bench.settle().protected == (FLOW,)
    assert bench.pull()[0]


def test_what_an_interrupted_run_opened_is_looked_at_when_the_next_one_ends(bench: Bench) -> None:
    bench.spec = bench.spec.model_copy(update={"created_at": bench.started_at})
    bench.hub.add_commit(REPO, "task-zzz", {FLOW: "on: push\n"})
    bench.hub.add_pull(REPO, "task-zzz", "Another branch", author="bot")
    bench.started_at += timedelta(hours=1)
    before = bench.settle(KILLED).also_protected
    bench.attempt = 2

    assert (before, len(bench.settle(KILLED).also_protected)) == ({}, 1)
    assert bench.pull()[0]


def test_pull_requests_of_others_stay_as_they_are(bench: Bench) -> None:
    """Of another account, of a fork with the same branch, from before the run; and of a worker that
    has the same account, if it changes nothing that is protected.
    """
    hub, branch = bench.hub, bench.spec.branch
    hub.add_user("somebody")
    hub.add_repo("somebody/app", fork_of=REPO)
    hub.add_commit("somebody/app", branch, {FLOW: "on: push\n"})
    hub.add_pull(REPO, f"somebody:{branch}", "Theirs")
    hub.add_commit(REPO, "theirs", {FLOW: "on: push\n"})
    hub.add_pull(REPO, "theirs", "Theirs", author="acme")
    hub.add_commit(REPO, "issue-4711", {"src.py": "x\n"})
    hub.add_pull(REPO, "issue-4711", "By another worker", author="bot")

    outcome = bench.settle(KILLED)
    hub.add_commit(REPO, "older", {FLOW: "on: push\n"})
    hub.add_pull(REPO, "older", "From before", author="bot")
    bench.started_at += timedelta(hours=1)
    later = bench.settle(KILLED)

    assert (outcome.also_protected, later.also_protected) == ({}, {})
    assert not any(one.draft or one.comments for one in hub.pulls(REPO))


@pytest.mark.parametrize(("status", "kind"), [(503, "deferred"), (403, "succeeded")])
def test_pull_requests_that_github_does_not_tell_of_are_no_silent_success(
    bench: Bench, status: int, kind: str
) -> None:
    commit(bench.place.clone, "src.py")
    bench.hub.fault(method="POST", operation="Opened", status=status, times=None)

    outcome, killed = bench.settle(), bench.settle(KILLED)

    assert outcome.kind.value == kind
    assert outcome.reason == "github_unavailable" or "is not known" in outcome.message
    assert "which pull requests it opened is not known" in killed.message


def test_head_that_cannot_be_had_counts_as_protected(bench: Bench) -> None:
    commit(bench.place.clone, "src.py")
    bench.hub.add_commit(REPO, bench.spec.branch, {"src.py": "y\n"})
    bench.hub.add_pull(REPO, bench.spec.branch, "Pushed from elsewhere", author="bot")
    bench.hub.fault(method="POST", path_regex="git-upload-pack", status=503, times=None)

    outcome = bench.settle(KILLED)

    assert outcome.protected == (UNKNOWN,)
    assert bench.pull()[0]


def test_where_there_are_no_drafts_it_is_opened_and_noted(bench: Bench) -> None:
    commit(bench.place.clone, "CLAUDE.md")
    text = "Draft pull requests are not supported in this repository."
    body = {"message": "Validation Failed", "errors": [{"message": text}]}
    bench.hub.fault(method="POST", path_regex="/pulls$", status=422, body=body)
    errors = {"errors": [{"type": "UNPROCESSABLE", "message": text}]}
    bench.hub.fault(method="POST", operation="Draft", status=200, body=errors, times=None)

    outcome = bench.settle()

    draft, notes = bench.pull()
    assert (draft, len(notes)) == (False, 1)
    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert bench.store.outbox.length("here") == 0


def test_name_of_a_file_cannot_leave_its_place_in_the_note(bench: Bench) -> None:
    folder = bench.place.clone / ".claude"
    folder.mkdir()
    commit(bench.place.clone, ".claude/a`b\n@acme")

    bench.settle()

    assert "- `.claude/a?b?@acme`\n" in bench.pull()[1][0]
