"""What GitHub's GraphQL leaves out of a pull request is no trouble."""

from __future__ import annotations

from typing import Any

from cw.forges.watched import Mergeable
from cw.github.watched_rows import read_look, read_rows

REPO = {"nameWithOwner": "acme/app", "databaseId": 7}
NOTHING: dict[str, Any] = {
    "state": "OPEN",
    "merged": False,
    "headRefOid": "a" * 40,
    "mergeable": "UNKNOWN",
    "title": "Fix it",
    "baseRefName": "main",
    "headRefName": "issue-22",
    "isDraft": False,
    "additions": 0,
    "deletions": 0,
    "changedFiles": 0,
    "author": None,
    "baseRef": None,
    "reviewDecision": None,
    "comments": {"totalCount": 0, "nodes": None},
    **dict.fromkeys(
        ("latestOpinionatedReviews", "commits", "labels", "assignees", "reviewThreads", "files")
    ),
}


def test_what_may_be_null_is_nothing() -> None:
    look = read_look(REPO, NOTHING, "m", read_rows(NOTHING))

    assert (look.author, look.glance.mergeable) == ("", Mergeable.UNKNOWN)
    assert not any((look.checks, look.labels, look.threads, look.comments, look.paths))


def test_nodes_that_are_null_are_passed_over() -> None:
    one = {"nodes": [None]}
    thread = {"isResolved": False, "isOutdated": False, "comments": one}
    rollup = {"commit": {"statusCheckRollup": {"contexts": one}}}
    holes = {
        "latestOpinionatedReviews": one,
        "labels": one,
        "assignees": one,
        "files": {"nodes": [None, {"path": "a.py"}]},
        "reviewThreads": {"nodes": [None, thread]},
        "commits": {"nodes": [rollup]},
        "comments": {"totalCount": 1, "nodes": [None]},
    }

    row = NOTHING | holes
    look = read_look(REPO, row, "m", read_rows(row))

    assert not any((look.checks, look.threads, look.comments, look.changes))
    assert (look.comment_count, look.paths) == (1, ("a.py",))


def test_unknown_words_of_a_check_say_nothing() -> None:
    run = {
        "__typename": "CheckRun",
        "name": "test",
        "status": "COMPLETED",
        "conclusion": "NEW_WORD",
        "startedAt": None,
        "isRequired": True,
        "checkSuite": None,
    }
    rollup = {"commit": {"statusCheckRollup": {"contexts": {"nodes": [run]}}}}

    row = NOTHING | {"commits": {"nodes": [rollup]}}
    look = read_look(REPO, row, "m", read_rows(row))

    assert [(check.name, check.state.value) for check in look.checks] == [("test", "neutral")]
