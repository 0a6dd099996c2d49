"""How the end of a repair is judged: as any task's, and by what a repair must not do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.github.client import GitHub
from cw.models import Outcome, Start, TaskSpec
from cw.pulls.record import Cause
from cw.redaction.redact import Redactor
from cw.states import OutcomeKind
from tests.integration.cloning import REPO, Worker, commit, run
from tests.making import NOW, make_journal
from tests.repairs import make_repair
from tests.standins.github import GitHubStandIn
from workerhost.clones import preparing
from workerhost.clones.lens import lens
from workerhost.clones.merging import merge
from workerhost.clones.workspace import Workspace
from workerhost.programs.progress import Progress, Result
from workerhost.settling.ended_run import EndedRun
from workerhost.settling.settle import settle
from workerhost.settling.verdict import FINISHED, Verdict

BRANCH = "issue-22"


class Mended:
    """A pull request of one commit, and a clone that stands on its branch."""

    def __init__(self, root: Path, hub: GitHubStandIn, cause: Cause) -> None:
        self.hub, self.worker = hub, Worker.make(root, hub)
        hub.add_issue(REPO, "The build fails", "It says: no rule.")
        first = hub.add_commit(REPO, BRANCH, {"app.py": "one\n", "tests/test_app.py": "a\n"})
        self.number = hub.add_pull(REPO, BRANCH, "Fix it", author="bot")
        repair = make_repair(cause, number=self.number, head=first, branch=BRANCH)
        self.spec: TaskSpec = self.worker.spec(issue=22, repair=repair)
        self.began: Start | None = None
        self.place: Workspace = preparing.prepare(
            self.worker.git(self.spec), self.spec, resume=False, choose=self._choose
        )

    def _choose(self, mirror: Any) -> Start:
        others = tuple(sha for ref, sha in mirror.refs.items() if not ref.endswith(BRANCH))
        sha = mirror.refs[f"refs/heads/{BRANCH}"]
        self.began = Start(
            branch=BRANCH, base="main", base_sha=mirror.base_sha, branch_sha=sha, others=others
        )
        return self.began

    @property
    def clone(self) -> Path:
        return self.place.clone

    def settled(
        self,
        report: str = "Mended.",
        threads: tuple[int, ...] = (),
        process: Verdict = FINISHED,
    ) -> Outcome:
        begun = make_journal().run.model_copy(
            update={
                "clone": str(self.place.clone),
                "base": self.place.base,
                "base_sha": self.place.base_sha,
                "threads": threads,
            }
        )
        ended = EndedRun(
            task=self.spec.on_branch(BRANCH),
            run=begun,
            github=GitHub(self.hub.api_url, "bot-token", pace=0),
            process=process,
            progress=Progress(turns=3, result=Result(report=report)),
            now=NOW + timedelta(seconds=5),
            defer=timedelta(minutes=10),
            redact=Redactor(),
            start=self.began,
        )
        return settle(ended, self.worker.git(self.spec))


@pytest.fixture
def checks(tmp_path: Path, hub: GitHubStandIn) -> Mended:
    return Mended(tmp_path, hub, Cause.CHECKS)


@pytest.fixture
def review(tmp_path: Path, hub: GitHubStandIn) -> Mended:
    return Mended(tmp_path, hub, Cause.REVIEW)


def write(at: Path, path: str, lines: int) -> None:
    (at / path).parent.mkdir(parents=True, exist_ok=True)
    (at / path).write_text("x\n" * lines, "utf-8")
    run(at, "add", path)
    run(at, "commit", "-q", "-m", f"Change {path}")


def test_new_commits_on_its_own_pull_request_are_good(checks: Mended) -> None:
    head = commit(checks.clone, "app.py", "two\n")

    outcome = checks.settled()

    (pull,) = checks.hub.pulls(REPO)
    assert (outcome.kind, outcome.commits, outcome.head) == (OutcomeKind.SUCCEEDED, 1, head)
    assert (pull.number, pull.head_sha) == (checks.number, head)
    assert outcome.pr.endswith(f"/{checks.number}")


def test_commits_of_one_that_was_stopped_stay_in_the_clone(checks: Mended) -> None:
    (before,) = checks.hub.pulls(REPO)
    made = commit(checks.clone, "mended.py")

    done = checks.settled(process=Verdict(OutcomeKind.STOPPED, "stopped", "the run was stopped"))

    assert (done.kind, done.head, done.pushed) == (OutcomeKind.STOPPED, made, False)
    assert run(checks.clone, "rev-parse", done.kept) == made
    assert checks.hub.pulls(REPO) == [before]


def test_what_was_there_before_is_no_work_of_the_repair(checks: Mended) -> None:
    outcome = checks.settled(report="I fixed it.")

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "no_changes")


@pytest.mark.parametrize("how", ["empty", "undone"])
def test_commits_that_change_nothing_are_none(checks: Mended, how: str) -> None:
    if how == "empty":
        run(checks.clone, "commit", "-q", "--allow-empty", "-m", "Try again")
    else:
        commit(checks.clone, "new.txt")
        run(checks.clone, "revert", "--no-edit", "HEAD")

    outcome = checks.settled()

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "no_changes")
    assert "nothing (otherwise:" in outcome.message


def test_rewritten_branch_is_overwritten(checks: Mended) -> None:
    """What the branch had when the repair began is not its to replace."""
    run(checks.clone, "commit", "-q", "--amend", "-m", "Mine now")
    url = f"http://x:bot-token@{checks.hub.base_url.removeprefix('http://')}/{REPO}.git"
    run(checks.clone, "push", "-q", "--force", url, f"HEAD:{BRANCH}")

    outcome = checks.settled()

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "overwritten")
    assert checks.spec.repair
    assert outcome.lost == (checks.spec.repair.head,)


@pytest.mark.parametrize(
    ("tests", "code", "reason"),
    [(40, 3, "tests_changed"), (3, 40, "done"), (4, 4, "done"), (1, 0, "tests_changed")],
)
def test_tests_that_were_made_to_fit_are_a_person_s_to_see(
    checks: Mended, tests: int, code: int, reason: str
) -> None:
    write(checks.clone, "tests/test_more.py", tests)
    if code:
        write(checks.clone, "more.py", code)

    outcome = checks.settled()

    assert outcome.reason == reason
    assert outcome.pushed
    many = "1 line" if tests == 1 else f"{tests} lines"
    told = f"it changed {many} of tests and CI, and {code} of code: look before it is merged"
    assert (told in outcome.message) is (reason == "tests_changed")


def test_what_the_base_changed_is_not_weighed(checks: Mended) -> None:
    checks.hub.add_commit(REPO, "main", {"tests/test_base.py": "x\n" * 90})
    run(checks.clone, "fetch", "-q", f"{checks.hub.base_url}/{REPO}.git", "main")
    run(checks.clone, "merge", "-q", "--no-edit", "FETCH_HEAD")
    write(checks.clone, "more.py", 2)

    outcome = checks.settled()

    assert (outcome.reason, outcome.commits) == ("done", 2), outcome.message


def test_tests_changed_within_a_merge_are_weighed(checks: Mended) -> None:
    checks.hub.add_commit(REPO, "main", {"tests/test_base.py": "x\n" * 90})
    run(checks.clone, "fetch", "-q", f"{checks.hub.base_url}/{REPO}.git", "main")
    run(checks.clone, "merge", "-q", "--no-commit", "--no-ff", "FETCH_HEAD")
    (checks.clone / "tests" / "test_app.py").write_text("", "utf-8")
    run(checks.clone, "commit", "-q", "-a", "-m", "Merge")

    assert checks.settled().reason == "tests_changed"


def test_other_causes_may_change_tests(review: Mended) -> None:
    write(review.clone, "tests/test_more.py", 9)

    assert review.settled().reason == "done"


def test_merge_that_keeps_our_side_is_work(tmp_path: Path, hub: GitHubStandIn) -> None:
    mended = Mended(tmp_path, hub, Cause.CONFLICT)
    hub.add_commit(REPO, "main", {"app.py": "theirs\n"})
    run(mended.clone, "fetch", "-q", f"{hub.base_url}/{REPO}.git", "main")
    run(mended.clone, "merge", "-q", "--no-edit", "-s", "ours", "FETCH_HEAD")

    outcome = mended.settled()

    assert (outcome.kind, outcome.commits) == (OutcomeKind.SUCCEEDED, 1), outcome.message


@pytest.mark.parametrize("ended", ["closed", "merged"])
def test_no_pull_request_is_opened_in_place_of_one_that_is_over(checks: Mended, ended: str) -> None:
    if ended == "closed":
        checks.hub.close_issue(REPO, checks.number)
    else:
        checks.hub.merge_pull(REPO, checks.number)
    commit(checks.clone, "app.py", "two\n")

    outcome = checks.settled()

    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "no_pull_request")
    assert ("was merged without it meanwhile" if ended == "merged" else "closed") in outcome.message
    assert len(checks.hub.pulls(REPO)) == 1


@pytest.mark.parametrize(
    ("report", "kind", "message"),
    [
        ("[1] answered: no\n[2] answered: no", OutcomeKind.SUCCEEDED, "answered; nothing to push"),
        ("[1] answered: no", OutcomeKind.FAILED, "without a single commit"),
        ("[1] answered: no\n[2] fixed: yes", OutcomeKind.FAILED, "says that it fixed [2]"),
        ("All answered.", OutcomeKind.FAILED, "without a single commit"),
        ("x" * 9000 + "\n[1] answered: a\n[2] answered: b", OutcomeKind.SUCCEEDED, "answered;"),
    ],
)
def test_review_may_be_answered_alone(
    review: Mended, report: str, kind: OutcomeKind, message: str
) -> None:
    outcome = review.settled(report, threads=(1, 2))

    assert outcome.kind is kind
    assert message in outcome.message
    assert outcome.pr.endswith(f"/{review.number}")


def test_git_names_what_is_in_conflict(tmp_path: Path, hub: GitHubStandIn) -> None:
    mended = Mended(tmp_path, hub, Cause.CONFLICT)
    hub.add_commit(REPO, "main", {"app.py": "theirs\n", "new.py": "x\n"})
    again = preparing.prepare(mended.worker.git(mended.spec), mended.spec, resume=False)

    with lens(mended.worker.git(mended.spec), again.clone) as seen:
        made = merge(seen.run, f"refs/heads/{BRANCH}", "refs/remotes/origin/main")
        none = merge(seen.run, f"refs/heads/{BRANCH}", "refs/remotes/origin/nowhere")

    assert made
    assert made.conflicts == ("app.py",)
    assert none is None
