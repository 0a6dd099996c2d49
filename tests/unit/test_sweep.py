"""What the sweep does with each task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cw.operations.reconciliation.sweep import Action, decide
from cw.settings import Settings
from cw.states import State
from tests.making import NOW, make_spec, make_task

SETTINGS = Settings(sweep_every=30, max_attempts=2)
SECOND = timedelta(seconds=1)
LONG_AGO = NOW - timedelta(hours=1)


def decided(
    state: State, ready: dict[str, str] | None = None, wanted: str | None = None, **changed: Any
) -> Action | None:
    created = changed.pop("created_at", LONG_AGO)
    spec = make_spec(wanted_worker=wanted, created_at=created, id="T")
    task = make_task(state, spec=spec, **changed)
    return decide(task, NOW, {"01": ""} if ready is None else ready, SETTINGS)


@pytest.mark.parametrize(
    ("not_before", "action"),
    [
        (NOW + SECOND, None),
        (NOW, Action.RELEASE),
        (NOW - SECOND, Action.RELEASE),
        (None, Action.RELEASE),
    ],
)
def test_hold_ends_at_its_time(not_before: Any, action: Action | None) -> None:
    assert decided(State.HELD, not_before=not_before) is action


@pytest.mark.parametrize(
    ("left", "losses", "action"),
    [
        (SECOND, 0, None),
        (-SECOND, 0, Action.EXPIRE),
        (-SECOND, 1, Action.LOSE),
    ],
)
def test_lease_that_ended_is_repeated_once(
    left: timedelta, losses: int, action: Action | None
) -> None:
    assert decided(State.RUNNING, lease_until=NOW + left, losses=losses) is action


@pytest.mark.parametrize(
    ("hinted", "action"),
    [
        (NOW, None),
        (NOW - 29 * SECOND, None),
        (NOW - 30 * SECOND, Action.HINT),
        (None, Action.HINT),
        (NOW + 29 * SECOND, None),
        (NOW + 3600 * SECOND, Action.HINT),  # the broker's clock was set back
    ],
)
def test_lost_hint_is_sent_again(hinted: Any, action: Action | None) -> None:
    assert decided(State.QUEUED, hinted_at=hinted) is action


def test_fresh_dispatch_is_left_to_send_its_own_hint() -> None:
    assert decided(State.QUEUED, created_at=NOW - SECOND) is None


@pytest.mark.parametrize(
    ("ready", "wanted", "action"),
    [
        ({}, None, None),
        ({"01": "other"}, None, None),
        ({"01": "other", "02": ""}, None, Action.HINT),
        ({"02": ""}, "01", None),
        ({"01": "other"}, "01", None),
        ({"01": "T"}, "01", Action.HINT),
        ({"01": ""}, "01", Action.HINT),
    ],
)
def test_hint_goes_only_to_a_worker_that_could_take_it(
    ready: dict[str, str], wanted: str | None, action: Action | None
) -> None:
    assert decided(State.QUEUED, ready, wanted) is action


@pytest.mark.parametrize("state", [State.DONE, State.STOPPED, State.CRASHED])
def test_what_waits_for_a_person_or_is_done_is_left_alone(state: State) -> None:
    assert decided(state, not_before=LONG_AGO, lease_until=LONG_AGO) is None


def test_run_somebody_wanted_stopped_is_not_repeated_when_its_lease_ends() -> None:
    assert decided(State.RUNNING, lease_until=NOW - SECOND, stop_wanted="ada") is Action.PARK
    assert decided(State.RUNNING, lease_until=NOW + SECOND, stop_wanted="ada") is None
