"""Success is what git and GitHub prove, never what an agent says."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from cw.states import Mode, OutcomeKind
from tests.making import NOW
from workerhost.settling.verdict import Evidence, Verdict, judge_work

DEFER = timedelta(minutes=10)
HEAD, OTHER = "a" * 40, "b" * 40
GOOD: dict[str, Any] = {
    "commits": 2,
    "dirty": False,
    "head": HEAD,
    "remote_head": HEAD,
    "wants_pull": True,
    "pull_head": HEAD,
}


def judge(**changed: Any) -> Verdict:
    return judge_work(Evidence(**(GOOD | changed)), NOW, DEFER)


@pytest.mark.parametrize(
    ("changed", "kind", "reason"),
    [
        ({}, "succeeded", "done"),
        ({"wants_pull": False, "pull_head": ""}, "succeeded", "done"),
        ({"commits": 0}, "failed", "no_changes"),
        ({"commits": 0, "dirty": True}, "failed", "uncommitted"),
        ({"commits": 0, "dirty": True, "mode": Mode.FREE}, "failed", "uncommitted"),
        ({"commits": 0, "mode": Mode.FREE}, "succeeded", "done"),
        ({"commits": 0, "mode": Mode.UPDATE}, "failed", "no_changes"),
        ({"commits": 0, "mode": Mode.READ, "report": "So."}, "succeeded", "done"),
        ({"mode": Mode.READ}, "failed", "no_report"),
        ({"commits": 0, "mode": Mode.ISSUE, "issues": ("u",)}, "succeeded", "done"),
        ({"mode": Mode.ISSUE}, "failed", "no_issues"),
        ({"mode": Mode.ISSUE, "pull_away": True}, "deferred", "github_unavailable"),
        ({"remote_head": None}, "deferred", "remote_unavailable"),
        ({"remote_head": ""}, "failed", "not_pushed"),
        ({"remote_head": OTHER}, "failed", "not_pushed"),
        ({"remote_head": "", "push_away": True}, "deferred", "remote_unavailable"),
        ({"pull_head": "", "pull_away": True}, "deferred", "github_unavailable"),
        ({"pull_head": ""}, "failed", "no_pull_request"),
        ({"pull_head": OTHER}, "failed", "pull_request_behind"),
    ],
)
def test_each_piece_of_evidence_counts(changed: dict[str, Any], kind: str, reason: str) -> None:
    verdict = judge(**changed)

    assert verdict.kind is not None
    assert (verdict.kind.value, verdict.reason) == (kind, reason)
    assert (verdict.retry_at is not None) == (kind == "deferred")


@pytest.mark.parametrize("where", ["push", "pull"])
def test_reason_of_a_refusal_is_told(where: str) -> None:
    changed = {
        "push": {"remote_head": "", "push_error": "protected branch"},
        "pull": {"pull_head": "", "pull_error": "protected branch"},
    }[where]

    assert "protected branch" in judge(**changed).message


def test_no_combination_succeeds_without_pushed_commits_and_the_pull_request_it_wants() -> None:
    heads = (None, "", HEAD, OTHER)
    for commits, dirty, remote, wants, pull, away in product(
        (0, 1), (False, True), heads, (False, True), ("", HEAD, OTHER), (False, True)
    ):
        verdict = judge(
            commits=commits,
            dirty=dirty,
            remote_head=remote,
            wants_pull=wants,
            pull_head=pull,
            pull_away=away,
        )
        proven = commits and remote == HEAD and (not wants or (pull == HEAD and not away))

        assert (verdict.kind is OutcomeKind.SUCCEEDED) == bool(proven)


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({}, OutcomeKind.SUCCEEDED, "answered; nothing to push"),
        ({"commits": 1}, OutcomeKind.SUCCEEDED, "1 commit pushed, pull request open"),
        ({"dirty": True}, OutcomeKind.FAILED, "changes were left uncommitted"),
        ({"beside": ["x (1)"]}, OutcomeKind.FAILED, "it committed on x (1) alone"),
        ({"pull_head": ""}, OutcomeKind.FAILED, "without an open pull request"),
        ({"pull_head": OTHER}, OutcomeKind.FAILED, "is not the branch's head"),
        ({"pull_away": True}, OutcomeKind.DEFERRED, "GitHub does not answer"),
        ({"remote_head": None}, OutcomeKind.DEFERRED, "the remote does not answer"),
        ({"answered": False}, OutcomeKind.FAILED, "without a single commit"),
        (
            {"answered": False, "claimed": "[1], [3]"},
            OutcomeKind.FAILED,
            "without a single commit, and says that it fixed [1], [3]",
        ),
    ],
)
def test_review_that_is_answered_needs_no_commit(
    changed: dict[str, Any], kind: OutcomeKind, message: str
) -> None:
    verdict = judge(**({"commits": 0, "answered": True} | changed))

    assert verdict.kind is kind
    assert message in verdict.message
