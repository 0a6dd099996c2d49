"""What follows when labels, tasks and issues disagree, as a table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cw.models import Outcome, Task
from cw.operations.reconciliation.agreement import (
    IssueState,
    SetBy,
    decide,
    needs_events,
    needs_pull,
)
from cw.states import OutcomeKind, State
from tests.repairs import make_repair
from tests.unit.test_eligibility import NOW, task

GRACE = timedelta(minutes=2)
LATER = NOW + timedelta(hours=1)
OURS, THEIRS = SetBy(us=True, at=NOW), SetBy(us=False, at=NOW)


def has(state: State = State.RUNNING, worker: str | None = "01", **changed: Any) -> Task:
    return task(state, worker=worker, **changed)


def mends(state: State = State.QUEUED, **changed: Any) -> Task:
    """A repair."""
    known = has(state, **changed)
    return known.model_copy(
        update={"spec": known.spec.model_copy(update={"repair": make_repair()})}
    )


def ended(kind: OutcomeKind, worker: str = "01") -> Task:
    outcome = Outcome(kind=kind, reason="r", message="m", pr="http://x/acme/app/pull/3")
    return task(State.DONE, worker=worker, outcome=outcome, ended_at=NOW)


def seen(**changed: Any) -> IssueState:
    given: dict[str, Any] = {
        "open": True,
        "labels": (),
        "workers": frozenset({"01", "02"}),
        "now": LATER,
        "grace": GRACE,
    }
    return IssueState(**given | changed)


W1, W2, GONE = "worker:01", "worker:02", "worker:77"
SUCCEEDED, FAILED = OutcomeKind.SUCCEEDED, OutcomeKind.FAILED


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        # nothing to disagree about
        ({}, []),
        ({"labels": ("bug",)}, []),
        ({"labels": (W1,), "task": has()}, []),
        ({"labels": (W1,), "task": has(State.QUEUED)}, []),
        ({"task": has(State.QUEUED, None)}, []),
        # a label without a task
        ({"labels": (W1,), "set_by": {"01": OURS}}, ["adopt 01"]),
        ({"labels": (W1,), "set_by": {"01": THEIRS}}, ["report 01"]),
        ({"labels": (W1,)}, ["report 01"]),
        ({"labels": (GONE,), "set_by": {"77": OURS}}, ["unlabel 77"]),
        ({"labels": (GONE,), "set_by": {"77": THEIRS}}, []),
        ({"labels": (W1, "blocked"), "set_by": {"01": OURS}}, ["unlabel 01"]),
        ({"labels": (W1, W2), "set_by": {"02": OURS, "01": OURS}}, ["unlabel 01", "adopt 02"]),
        ({"labels": (W1, W2), "set_by": {"02": THEIRS, "01": OURS}}, ["report 02"]),
        ({"labels": (W1,), "set_by": {"01": SetBy(us=True, at=LATER)}}, []),
        # a task without a label
        ({"task": has()}, ["relabel 01"]),
        ({"task": has(), "relabelled": True}, ["report 01"]),
        ({"task": has(State.QUEUED, None, wanted="01")}, ["relabel 01"]),
        ({"task": has(State.QUEUED), "taken_off": frozenset({"01"})}, ["close"]),
        ({"task": has(State.HELD), "taken_off": frozenset({"01"})}, ["close"]),
        ({"task": has(State.HELD), "taken_off": frozenset({"02"})}, ["relabel 01"]),
        ({"task": has(State.CRASHED)}, []),
        # a repair gets its label when it runs
        ({"task": mends(), "taken_off": frozenset({"01"})}, []),
        ({"task": mends(State.HELD, attempt=1), "taken_off": frozenset({"01"})}, ["close"]),
        ({"labels": (W1, "blocked"), "task": mends()}, ["close", "unlabel 01"]),
        ({"task": mends(State.RUNNING, attempt=1)}, ["relabel 01"]),
        # the issue was closed, or blocked, under its task
        ({"open": False, "labels": (W1,), "task": has()}, ["stop 01"]),
        ({"open": False, "labels": (W1,), "task": has(State.HELD)}, ["close", "unlabel 01"]),
        ({"open": False, "task": has(State.CRASHED)}, ["close"]),
        ({"open": False, "labels": (W1, GONE)}, ["unlabel 01"]),
        ({"labels": (W1, "blocked"), "task": has(State.QUEUED)}, ["close", "unlabel 01"]),
        ({"labels": (W1, "blocked"), "task": has()}, []),
        # the task is done
        ({"labels": (W1,), "finished": ended(SUCCEEDED), "pull": "open"}, ["unlabel 01"]),
        ({"labels": (W1,), "finished": ended(SUCCEEDED), "pull": "merged"}, ["unlabel 01"]),
        (
            {"labels": (W1,), "finished": ended(SUCCEEDED), "pull": "closed"},
            ["unlabel 01", "block"],
        ),
        ({"finished": ended(SUCCEEDED), "pull": "closed"}, ["block"]),
        ({"labels": ("blocked",), "finished": ended(SUCCEEDED), "pull": "closed"}, []),
        ({"labels": (W2,), "finished": ended(SUCCEEDED), "pull": "open"}, ["report 02"]),
        ({"labels": (W1,), "finished": ended(FAILED)}, []),
        ({"labels": (W1,), "finished": ended(OutcomeKind.STOPPED)}, ["unlabel 01"]),
        # two labels
        ({"labels": (W1, W2), "task": has()}, ["unlabel 02"]),
        ({"labels": (W1, GONE), "task": has(State.QUEUED)}, ["unlabel 77"]),
        ({"labels": (W2,), "task": has()}, ["relabel 01", "unlabel 02"]),
        ({"labels": (W2,), "task": has(State.QUEUED, None)}, ["report 02"]),
    ],
)
def test_what_follows(given: dict[str, Any], steps: list[str]) -> None:
    assert [f"{one.do.value} {one.worker}".strip() for one in decide(seen(**given))] == steps


@pytest.mark.parametrize(
    ("given", "since"),
    [
        ({"open": False, "task": has(State.QUEUED)}, NOW),
        ({"task": has(started_at=LATER)}, LATER),
        ({"labels": (W1,), "finished": ended(SUCCEEDED), "pull": "closed"}, NOW),
        ({"labels": (W1,), "set_by": {"01": OURS}}, NOW),
        ({"labels": (W1,), "set_by": {"01": THEIRS}}, NOW),
    ],
)
def test_what_is_young_is_not_judged(given: dict[str, Any], since: datetime) -> None:
    young, old = seen(**given, now=since + GRACE / 2), seen(**given, now=since + GRACE)

    assert decide(young) == []
    assert decide(old) != []


def test_only_where_it_matters_github_is_asked() -> None:
    agreed = seen(labels=(W1,), task=has())
    orphan, failed = seen(labels=(W1,)), seen(labels=(W1,), finished=ended(FAILED))
    waiting, done = seen(task=has(State.QUEUED)), seen(finished=ended(SUCCEEDED))

    assert [needs_events(one) for one in (agreed, orphan, failed, waiting, done)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert [needs_pull(one) for one in (agreed, orphan, failed, waiting, done)] == [
        False,
        False,
        False,
        False,
        True,
    ]
