"""How tasks went, summed up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.operations.views.costs import costs
from cw.operations.views.history import Finished
from cw.operations.views.stats import Stats, percentile, stats, task_sums
from cw.states import OutcomeKind
from tests.making import NOW, make_outcome

PR = "https://github.com/acme/app/pull/"
BY = ("repo", "model", "worker", "account", "day")


def run(task: str, **changed: Any) -> Finished:
    """The only run of a task, which succeeded with a pull request of its own."""
    reason = changed.pop("reason", "done")
    kind = changed.pop("kind", OutcomeKind.SUCCEEDED if reason == "done" else OutcomeKind.FAILED)
    pr = changed.pop("pr", f"{PR}{task}" if kind is OutcomeKind.SUCCEEDED else "")
    whole: dict[str, Any] = {
        "task": task,
        "label": f"acme/app#{task}",
        "repo": "acme/app",
        "issue": int(task),
        "title": "It",
        "model": "sonnet",
        "worker": "01",
        "ended_at": NOW,
        "cost_usd": 0.5,
        "cost_estimated": False,
        "turns": 3,
        "duration_s": 60.0,
        "outcome": make_outcome(kind, reason=reason, pr=pr),
        "account": "a1",
        "attempt": 1,
    }
    return Finished(**(whole | changed))


def summed(*rows: Finished, by: str = "repo", **more: Any) -> Stats:
    return stats(task_sums(rows), by, **more)


def test_task_counts_once_with_all_its_runs_where_its_last_one_was() -> None:
    put_off = run("1", kind=OutcomeKind.DEFERRED, reason="usage_limit", worker="02", cost_usd=0.25)
    last = run("1", attempt=2, ended_at=NOW + timedelta(hours=1))

    (row,) = summed(last, put_off, by="worker").rows

    assert (row.name, row.tasks, row.succeeded, row.runs, row.runs_per_task) == ("01", 1, 1, 2, 2.0)
    assert (row.usd, row.usd_per_task, row.p50_s) == (0.75, 0.75, 120.0)


def test_run_that_was_overtaken_has_not_the_last_word() -> None:
    late = run("1", kind=OutcomeKind.STOPPED, reason="lease_lost", ended_at=NOW + timedelta(days=1))

    assert summed(late, run("1", attempt=2)).total.succeeded == 1


def test_success_is_of_tasks_that_succeeded_or_failed() -> None:
    total = summed(
        run("1"),
        run("2", reason="no_changes"),
        run("3", kind=OutcomeKind.STOPPED, reason="stopped"),
        run("4", kind=OutcomeKind.DEFERRED, reason="usage_limit"),
    ).total

    assert (total.tasks, total.succeeded, total.failed, total.other) == (4, 1, 1, 2)
    assert total.success_rate == 0.5
    assert total.timed == 2


def test_what_failed_is_paid_by_what_was_delivered() -> None:
    total = summed(run("1"), run("2", reason="no_changes"), run("3"), run("4", pr="")).total

    assert (total.usd, total.usd_per_task, total.pulls, total.usd_per_pull) == (2.0, 0.5, 2, 1.0)


def test_pull_request_of_a_task_that_failed_was_not_delivered() -> None:
    assert summed(run("1", reason="pull_request_behind", pr=f"{PR}1")).total.pulls == 0


@pytest.mark.parametrize(
    ("known", "merged", "unasked", "dollars"),
    [
        (None, None, 3, None),
        ({}, 0, 3, None),
        ({"1": "merged", "2": "merged"}, 2, 1, None),
        ({"1": "merged", "2": "closed", "3": "open"}, 1, 0, 1.5),
        ({"1": "closed", "2": "closed", "3": "open"}, 0, 0, None),
    ],
)
def test_dollars_by_what_was_merged_need_a_word_of_each(
    known: dict[str, str] | None, merged: int | None, unasked: int, dollars: float | None
) -> None:
    states = None if known is None else {f"{PR}{task}": state for task, state in known.items()}

    found = summed(run("1"), run("2"), run("3"), merges=states, not_asked="offline")

    total = found.total
    assert (total.merged, total.unasked, total.usd_per_merged) == (merged, unasked, dollars)
    assert found.not_asked == ("offline" if unasked else "")


@pytest.mark.parametrize(
    ("runs", "unknown"),
    [
        ([run("1", reason="killed", cost_usd=0.0)], 1),
        ([run("1", cost_usd=0.0)], 1),
        ([run("1", attempt=3, cost_usd=0.0, reason="not_started", turns=0)], 2),
    ],
    ids=["killed", "never told", "two left no archive"],
)
def test_cost_that_nobody_heard_of_is_no_zero(runs: list[Finished], unknown: int) -> None:
    total = summed(*runs).total

    assert (total.unknown, total.usd_per_task, total.usd_per_pull) == (unknown, None, None)


def test_task_of_whose_runs_one_left_no_time_has_none() -> None:
    total = summed(run("1", reason="lost", duration_s=0.0, cost_usd=0.0), run("2", attempt=2)).total

    assert (total.tasks, total.timed, total.p50_s, total.p95_s) == (2, 0, None, None)


def test_record_tells_of_all_runs_of_its_task_and_one_that_never_ran_is_none() -> None:
    rows = [run("1", attempt=3, runs=3), run("2", runs=0, attempt=0, reason="cancelled")]

    total = summed(*rows).total

    assert (total.tasks, total.runs, total.unknown) == (1, 3, 0)


def test_since_takes_whole_tasks() -> None:
    before = run("1", reason="lost", ended_at=NOW - timedelta(days=9))
    rows = [before, run("1", attempt=2), run("2", ended_at=NOW - timedelta(days=9))]

    (task,) = task_sums(rows, NOW - timedelta(days=1))

    assert (task.last.task, task.runs, task.usd) == ("1", 2, 1.0)


@pytest.mark.parametrize("by", BY)
def test_no_task_is_no_row(by: str) -> None:
    found = stats([], by)

    assert found.rows == []
    total = found.total
    assert (total.success_rate, total.p50_s, total.usd_per_task) == (None, None, None)


def test_accounts_have_their_names() -> None:
    assert [row.name for row in summed(run("1"), by="account", names={"a1": "team-a"}).rows] == [
        "team-a"
    ]


_TIMES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


@given(_TIMES, st.integers(1, 100))
def test_percentile_is_one_of_them_and_no_smaller_one_would_do(
    times: list[float], percent: int
) -> None:
    found = percentile(times, percent)

    assert found in times
    assert sum(time <= found for time in times) * 100 >= percent * len(times)
    assert sum(time < found for time in times) * 100 < percent * len(times)


_RUNS = st.lists(
    st.builds(
        run,
        st.sampled_from("1234"),
        worker=st.sampled_from(("01", "02")),
        model=st.sampled_from(("opus", "sonnet")),
        reason=st.sampled_from(("done", "no_changes", "killed", "lost")),
        cost_usd=st.integers(0, 900).map(lambda cents: cents / 100),
        attempt=st.just(1),
    ),
    max_size=12,
)


@given(_RUNS, st.sampled_from(BY))
def test_rows_add_up_to_what_the_archives_hold(runs: list[Finished], by: str) -> None:
    found, held = summed(*runs, by=by), costs(runs, by).total

    for what in ("tasks", "runs", "estimated", "unknown", "succeeded", "failed", "other"):
        assert sum(getattr(row, what) for row in found.rows) == getattr(found.total, what)
    assert sum(row.usd for row in found.rows) == pytest.approx(held.usd, abs=1e-5)
    assert (found.total.usd, found.total.unknown) == (held.usd, held.unknown)
    assert (found.total.tasks, found.total.runs) == (held.tasks, held.runs)
