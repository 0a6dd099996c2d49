"""The verdicts on issues, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cw.fleet_models import Host, Worker
from cw.forges.issues import Listed
from cw.models import Outcome, Task, TaskSpec
from cw.operations.assignment.eligibility import (
    Facts,
    Word,
    done_with,
    idle_workers,
    in_order,
    judge,
)
from cw.states import OutcomeKind, State

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def issue(**changed: Any) -> Listed:
    given: dict[str, Any] = {
        "repo": "acme/app",
        "number": 1,
        "title": "Something",
        "author": "ada",
        "association": "OWNER",
        "labels": (),
        "created_at": NOW,
        "updated_at": NOW,
        "is_pull": False,
    }
    return Listed(**given | changed)


def task(state: State = State.QUEUED, **changed: Any) -> Task:
    spec = TaskSpec(
        id="01",
        repo="acme/app",
        repo_url="u",
        repo_folder="acme/app",
        github=True,
        issue=1,
        model="sonnet",
        wanted_worker=changed.pop("wanted", None),
        created_at=NOW,
    )
    return Task(spec=spec, state=state, **changed)


@pytest.mark.parametrize(
    ("listed", "known", "word"),
    [
        ({}, {}, Word.ASSIGN),
        ({"is_pull": True}, {}, Word.PULL_REQUEST),
        ({"labels": ("worker:01",)}, {}, Word.TAKEN),
        ({"labels": ("Worker:01",)}, {}, Word.TAKEN),
        ({}, {"task": "01ABC"}, Word.TAKEN),
        ({"labels": ("Blocked",)}, {}, Word.BLOCKED),
        ({}, {"finished": "…/pull/3"}, Word.FINISHED),
        ({"blocked_by": 2}, {}, Word.DEPENDS),
        ({}, {"blockers": ("acme/app#2",)}, Word.DEPENDS),
        ({}, {"unread": ("acme/lib#2",)}, Word.UNKNOWN),
        ({}, {"trusted": None}, Word.UNKNOWN),
        ({}, {"trusted": False}, Word.UNTRUSTED),
        ({"labels": ("claude",)}, {"trusted": False}, Word.UNTRUSTED),
        ({}, {"repo_tasks": 2, "repo_cap": 2}, Word.REPO_CAP),
        ({}, {"repo_tasks": 1, "repo_cap": 2}, Word.ASSIGN),
        ({}, {"repo_tasks": 9, "repo_cap": 0}, Word.ASSIGN),
        ({}, {"reviews": 3, "review_cap": 2}, Word.REVIEW_CAP),
        ({}, {"reviews": 2, "review_cap": 2}, Word.ASSIGN),
        ({}, {"reviews": 9, "review_cap": 0}, Word.ASSIGN),
        # What needs no question comes before what does; what is surely out before what is unread.
        ({"labels": ("blocked",)}, {"trusted": None}, Word.BLOCKED),
        ({}, {"trusted": None, "repo_tasks": 1, "repo_cap": 1}, Word.REPO_CAP),
        ({}, {"trusted": None, "blockers": ("acme/app#2",)}, Word.DEPENDS),
        ({}, {"trusted": False, "unread": ("acme/lib#2",)}, Word.UNTRUSTED),
    ],
)
def test_verdict(listed: dict[str, Any], known: dict[str, Any], word: Word) -> None:
    verdict = judge(issue(**listed), Facts(**known), "claude")

    assert verdict.word is word
    assert verdict.reason


def test_order_is_priority_then_age_then_place() -> None:
    old = issue(number=5, created_at=NOW - timedelta(days=2))
    new, twin = issue(number=7), issue(number=6)
    second = issue(number=8, labels=("P2", "bug"))
    first = issue(number=9, labels=("p1", "P2"))

    assert in_order([new, twin, old, second, first], ["P1", "P2"]) == [
        first,
        second,
        old,
        twin,
        new,
    ]


@pytest.mark.parametrize(
    ("tasks", "reserve", "idle"),
    [
        ([], 0, ["01", "02", "03"]),
        ([], 1, ["01", "02"]),
        ([], 9, []),
        ([task(wanted="02")], 0, ["01", "03"]),
        ([task()], 0, ["01", "02"]),  # somebody will take it from the pool
        ([task(State.HELD, worker="01")], 0, ["02", "03"]),
        ([task(State.CRASHED, worker="01")], 0, ["01", "02", "03"]),
        ([task(State.RUNNING)], 0, ["01", "02", "03"]),
    ],
)
def test_idle_workers(tasks: list[Task], reserve: int, idle: list[str]) -> None:
    workers = [Worker(id=one, host="up") for one in ("01", "02", "03")]
    workers += [
        Worker(id="busy", host="up", task="x"),
        Worker(id="paused", host="up", paused="on leave"),
        Worker(id="silent", host="silent"),
        Worker(id="lost", host="unknown"),
    ]
    hosts = [Host(name="up", seen_at=NOW), Host(name="silent", seen_at=NOW - timedelta(hours=1))]

    assert idle_workers(workers, hosts, tasks, reserve, NOW) == idle


@pytest.mark.parametrize(
    ("kind", "pr", "expected"),
    [
        (OutcomeKind.SUCCEEDED, "…/pull/3", "…/pull/3"),
        (OutcomeKind.SUCCEEDED, "", "task 01"),
        (OutcomeKind.FAILED, "…/pull/3", ""),
        (OutcomeKind.STOPPED, "", ""),
    ],
)
def test_only_a_success_stands_in_the_way(kind: OutcomeKind, pr: str, expected: str) -> None:
    outcome = Outcome(kind=kind, reason="r", message="m", pr=pr)

    assert done_with(task(State.DONE, outcome=outcome)) == expected
    assert done_with(None) == ""
