"""What runs have cost, summed up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cw.operations.views.costs import BY, costs
from cw.operations.views.history import Finished
from cw.states import OutcomeKind
from tests.making import NOW, make_outcome


def run(**changed: Any) -> Finished:
    reason = changed.pop("reason", "done")
    kind = OutcomeKind.SUCCEEDED if reason == "done" else OutcomeKind.FAILED
    given: dict[str, Any] = {
        "task": "T1",
        "label": "acme/app#1",
        "repo": "acme/app",
        "issue": 1,
        "title": "It",
        "model": "sonnet",
        "worker": "01",
        "ended_at": NOW,
        "cost_usd": 0.25,
        "cost_estimated": False,
        "turns": 3,
        "duration_s": 60.0,
        "outcome": make_outcome(kind, reason=reason),
        "account": "a1",
    }
    return Finished(**(given | changed))


RUNS = [
    run(),
    run(ended_at=NOW + timedelta(hours=1), cost_usd=0.5),  # its second run
    run(task="T2", label="acme/lib#2", repo="acme/lib", worker="02", account="a2", cost_usd=1.0),
    run(task="T3", label="acme/lib#3", repo="acme/lib", worker="02", model="opus", cost_usd=0.125),
]


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("worker", [("02", 1.125, 2, 2), ("01", 0.75, 2, 1)]),
        ("repo", [("acme/lib", 1.125, 2, 2), ("acme/app", 0.75, 2, 1)]),
        ("account", [("a2", 1.0, 1, 1), ("team-a", 0.875, 3, 2)]),
        ("model", [("sonnet", 1.75, 3, 2), ("opus", 0.125, 1, 1)]),
        (
            "issue",
            [("acme/lib#2", 1.0, 1, 1), ("acme/app#1", 0.75, 2, 1), ("acme/lib#3", 0.125, 1, 1)],
        ),
    ],
)
def test_every_run_counts_once(by: str, rows: list[tuple[str, float, int, int]]) -> None:
    found = costs(RUNS, by, names={"a1": "team-a"})

    assert [(row.name, row.usd, row.runs, row.tasks) for row in found.rows] == rows
    assert (found.total.usd, found.total.runs, found.total.tasks) == (1.875, 4, 3)
    assert (found.total.turns, found.total.duration_s) == (12, 240.0)


def test_days_are_in_their_order() -> None:
    later = run(ended_at=NOW + timedelta(days=40), cost_usd=9.0)

    names = [row.name for row in costs([later, run()], "day").rows]

    assert names == sorted(names)
    assert len(names) == 2


@pytest.mark.parametrize(
    ("changed", "unknown"),
    [
        ({"reason": "lost", "turns": 0}, 1),
        ({"reason": "killed", "turns": 2}, 1),
        ({"turns": 2}, 1),
        ({"reason": "not_started", "turns": 0}, 0),
        ({"cost_usd": 0.01, "reason": "killed"}, 0),
    ],
)
def test_cost_that_nobody_heard_of_is_no_zero(changed: dict[str, Any], unknown: int) -> None:
    (row,) = costs([run(**{"cost_usd": 0.0, **changed})], "worker").rows

    assert row.unknown == unknown


@pytest.mark.parametrize("by", BY)
def test_no_run_is_no_row(by: str) -> None:
    found = costs([], by)

    assert found.rows == []
    assert found.total.runs == 0
