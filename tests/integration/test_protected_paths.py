"""A pull request that changes protected paths is a draft with a note, whoever opened it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cw.github.client import GitHub
from cw.models import Outcome, TaskSpec
from cw.states import OutcomeKind
from cw.store.store import Store
from tests.integration.cloning import REPO, Worker, commit, run
from tests.making import NOW, make_journal
from tests.standins.github import GitHubStandIn
from workerhost import preparing, remote
from workerhost.deliver import deliver, on_outcome
from workerhost.delivered import Delivered
from workerhost.events import Progress
from workerhost.protected import UNKNOWN
from workerhost.redact import Redactor
from workerhost.remote import Pushed
from workerhost.settle import settle
from workerhost.verdict import FINISHED, Verdict
from workerhost.workspace import Workspace

FLOW = ".github/workflows/ci.yml"
KILLED = Verdict(OutcomeKind.FAILED, "killed", "it was killed")


class Bench:
    """A clone in which an agent has worked, and what its host does then."""

    def __init__(self, worker: Worker, hub: GitHubStandIn, store: Store) -> None:
        self.worker, self.hub, self.store = worker, hub, store
        self.spec: TaskSpec = worker.spec(issue=hub.add_issue(REPO, "Title", "Text"))
        self.git = worker.git(self.spec)
        self.place: Workspace = preparing.prepare(self.git, self.spec, resume=False)
        self.github = GitHub(hub.api_url, "bot-token", pace=0)
        (self.place.clone / ".github" / "workflows").mkdir(parents=True)

    def push(self) -> None:
        state = remote.inspect(self.git, self.place)
        assert remote.push(self.git, self.place, self.spec, state) == Pushed()

    def settle(self, process: Verdict = FINISHED) -> Outcome:
        """And carry out what follows from it."""
        place = self.place
        update = {"clone": str(place.clone), "base": place.base, "base_sha": place.base_sha}
        outcome = settle(
            self.spec,
            make_journal().run.model_copy(update=update),
            self.git,
            self.github,
            process,
            Progress(turns=3, result={"result": "Fixed it."}),
            now=NOW,
            defer=timedelta(minutes=10),
            redact=Redactor(),
        )
        self.store.outbox.add("here", on_outcome(self.spec, "01", 1, outcome, ""))
        memory = Delivered(place.clone.parent / "delivered.txt")
        deliver(self.store.outbox, "here", memory, lambda _: self.github)
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


def test_head_that_is_not_here_counts_as_protected(bench: Bench) -> None:
    commit(bench.place.clone, "src.py")
    bench.hub.add_commit(REPO, bench.spec.branch, {FLOW: "on: push\n"})
    bench.hub.add_pull(REPO, bench.spec.branch, "Pushed from elsewhere", author="bot")

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
