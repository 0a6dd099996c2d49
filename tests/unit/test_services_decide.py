"""When services are started, given up and killed: decisions without a process."""

from __future__ import annotations

import pytest

from cw.services import restart_policy
from cw.services.restart_policy import Action, End, ServiceState, Startup, Watched
from cw.services.stopping import StopStep, next_step


def test_service_waits_for_the_broker() -> None:
    assert restart_policy.decide(Watched(), alive=False, may_start=False, now=5) is Action.WAIT
    assert restart_policy.decide(Watched(), alive=False, may_start=True, now=5) is Action.START


def test_running_service_is_left_alone_until_it_ends() -> None:
    one = restart_policy.started(Watched(), 5)

    assert restart_policy.decide(one, alive=True, may_start=True, now=6) is Action.WAIT
    assert restart_policy.decide(one, alive=False, may_start=True, now=6) is Action.NOTE_END


def test_ended_service_starts_again_after_its_pause() -> None:
    one = restart_policy.ended(restart_policy.started(Watched(), 5), 6)

    assert restart_policy.decide(one, alive=False, may_start=True, now=6.9) is Action.WAIT
    assert restart_policy.decide(one, alive=False, may_start=True, now=7) is Action.START


def test_pauses_double_up_to_half_a_minute() -> None:
    pauses = [restart_policy.pause(n) for n in (1, 2, 3, 4, 5, 6, 7, 5000)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_minute_of_life_forgives_earlier_ends() -> None:
    often = Watched(running=True, failures=5, started_at=100)

    assert restart_policy.ended(often, 159).failures == 6
    assert restart_policy.ended(often, 160).failures == 1


@pytest.mark.parametrize(
    ("seen", "alive", "waited", "expected"),
    [
        ([], True, 0, (Startup.WAIT, "")),
        ([], True, 60, (Startup.FAILED, "")),
        ([], False, 0, (Startup.FAILED, "")),
        ([ServiceState("host", True, 0)], True, 0, (Startup.READY, "")),
        ([ServiceState("host", True, 2)], True, 0, (Startup.READY, "")),
        ([ServiceState("host", True, 0)], False, 0, (Startup.FAILED, "")),
        (
            [ServiceState("broker", True, 0), ServiceState("host", False, 2)],
            True,
            0,
            (Startup.WAIT, ""),
        ),
        (
            [ServiceState("broker", True, 0), ServiceState("host", False, 3)],
            True,
            0,
            (Startup.FAILED, "host"),
        ),
        (
            [ServiceState("broker", True, 0), ServiceState("host", False, 0)],
            True,
            60,
            (Startup.FAILED, "host"),
        ),
    ],
)
def test_start_in_background_is_judged_from_the_record(
    seen: list[ServiceState], alive: bool, waited: float, expected: tuple[Startup, str]
) -> None:
    assert expected == restart_policy.verdict(seen, supervisor_alive=alive, waited=waited, limit=60)


@pytest.mark.parametrize(
    ("waited", "killed_for", "expected"),
    [
        (4.9, None, StopStep.WAIT),
        (5.0, None, StopStep.KILL),
        (6.0, 1.0, StopStep.WAIT),
        (10.0, 5.0, StopStep.GIVE_UP),
    ],
)
def test_stopping_asks_then_kills_then_gives_up(
    waited: float, killed_for: float | None, expected: StopStep
) -> None:
    assert next_step(waited=waited, grace=5, killed_for=killed_for) is expected


def test_service_that_says_why_it_cannot_run_is_not_started_for_ever() -> None:
    one = Watched()
    for now in range(restart_policy.STOPPED):
        assert restart_policy.decide(one, alive=False, may_start=True, now=now * 99) is Action.START
        one = restart_policy.ended(restart_policy.started(one, now * 99), now * 99, End.HOPELESS)

    assert one.stopped
    assert restart_policy.decide(one, alive=False, may_start=True, now=1e9) is Action.WAIT


@pytest.mark.parametrize("kind", [End.PASSING, End.MENDED])
def test_other_ends_do_not_add_up_to_giving_up(kind: End) -> None:
    almost = Watched(running=True, hopeless=restart_policy.STOPPED - 1)

    assert restart_policy.ended(almost, 1, kind).hopeless == 0


def test_service_that_was_mended_is_started_at_once() -> None:
    one = restart_policy.ended(Watched(running=True, failures=3), 5, End.MENDED)

    assert restart_policy.decide(one, alive=False, may_start=True, now=5) is Action.START
