"""A record as Flower shows it, and Flower's list as the records go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flower.events import EventsState

from cw.budgets.ceilings import Amount
from cw.models import Task
from cw.services.flower.listing import Listing, SeenTasks
from cw.services.flower.rows import row
from cw.states import OutcomeKind, State
from tests.making import NOW, make_outcome, make_spec, make_task

PR = "https://github.com/acme/app/pull/31"


def shown(state: State, **changed: Any) -> dict[str, Any]:
    return row(make_task(state, **changed), NOW)


def ended(kind: OutcomeKind, reason: str, **changed: Any) -> dict[str, Any]:
    outcome = make_outcome(kind, reason=reason, cost_usd=0.421, **changed)
    return shown(State.DONE, outcome=outcome, worker="01")


def test_task_is_named_by_issue_worker_and_model() -> None:
    assert shown(State.RUNNING, worker="01")["name"] == "acme/app#22 · 01 · sonnet"
    assert shown(State.QUEUED)["name"] == "acme/app#22 · pool · sonnet"
    wanted = make_task(State.QUEUED, spec=make_spec(wanted_worker="02"))
    assert row(wanted, NOW)["routing_key"] == "worker.02"


@pytest.mark.parametrize(
    ("state", "celery"),
    [
        (State.QUEUED, "RECEIVED"),  # Flower offers Revoke
        (State.RUNNING, "STARTED"),  # and Terminate
        (State.HELD, "RETRY"),
        (State.STOPPED, "REVOKED"),
        (State.CRASHED, "FAILURE"),
    ],
)
def test_every_open_state_has_its_word(state: State, celery: str) -> None:
    assert shown(state)["state"] == celery


def test_outcome_is_one_line() -> None:
    good = ended(OutcomeKind.SUCCEEDED, "done", pr=PR)
    bad = ended(OutcomeKind.FAILED, "not_pushed", commits=2)

    assert (good["state"], good["result"]) == ("SUCCESS", "succeeded · PR #31 · $0.42")
    assert (bad["state"], bad["result"]) == ("FAILURE", "failed · not_pushed · 2 commits · $0.42")
    assert bad["exception"] == "1 commit pushed"


def test_cost_that_is_estimated_and_a_budget_of_its_own_are_said() -> None:
    spent = make_task(
        State.DONE,
        attempt=2,
        spent_usd=1.5,
        spent_rough=True,
        outcome=make_outcome(OutcomeKind.FAILED, reason="budget", cost_usd=0.5),
    )
    given = spent.model_copy(update={"spec": spent.spec.within(Amount(usd=5.0))})

    assert row(given, NOW)["result"] == "failed · budget · ~$1.50"
    assert row(given, NOW)["kwargs"] == "attempt 2 · may take 5usd"
    assert row(spent, NOW)["kwargs"] == "attempt 2"


def test_hold_says_until_when() -> None:
    outcome = make_outcome(OutcomeKind.DEFERRED, reason="usage_limit")

    held = shown(State.HELD, outcome=outcome, not_before=NOW)

    assert held["result"] == "deferred · usage_limit · goes on at 05-06 07:08 UTC"


def test_run_under_way_has_a_runtime() -> None:
    assert shown(State.RUNNING, started_at=NOW - timedelta(seconds=90))["runtime"] == 90


class Page:
    """Flower's state, shown these tasks."""

    def __init__(self) -> None:
        self.state = EventsState(max_tasks_in_memory=100)
        self.listing = Listing(self.state)

    def show(self, *tasks: Task, whole: bool = False) -> dict[str, str]:
        self.listing.show(SeenTasks(NOW, list(tasks), whole))
        found = self.state.search_engine.search(self.state.tasks).task_ids
        assert set(found) == set(self.state.tasks)
        return {task_id: self.state.tasks[task_id].state for task_id in found}


def test_task_goes_back_and_forth_without_an_event() -> None:
    page, spec = Page(), make_spec()

    seen = [
        page.show(make_task(one, spec=spec))[spec.id]
        for one in (State.RUNNING, State.STOPPED, State.QUEUED, State.RUNNING, State.CRASHED)
    ]

    assert seen == ["STARTED", "REVOKED", "RECEIVED", "STARTED", "FAILURE"]


def test_withdrawn_dispatch_leaves_the_list_at_once_and_the_forgotten_at_the_next_whole_look() -> (
    None
):
    page, waits = Page(), make_task(State.QUEUED)
    done = make_task(State.DONE, outcome=make_outcome())
    assert set(page.show(waits, done)) == {waits.spec.id, done.spec.id}

    assert set(page.show()) == {done.spec.id}
    assert page.show(whole=True) == {}


def test_numbers_beside_a_celery_worker_are_those_of_the_list() -> None:
    page = Page()
    page.state.get_or_create_worker("cw@here")
    done = make_task(State.DONE, outcome=make_outcome(), host="here")

    page.show(done, make_task(State.RUNNING, host="here"), make_task(State.RUNNING, host="away"))

    counts = page.state.counter["cw@here"]
    assert (counts["task-received"], counts["task-succeeded"]) == (2, 1)
    assert "cw@away" not in page.state.workers
