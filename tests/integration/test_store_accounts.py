"""Accounts on a real server: who may start on one that is held, and when it is over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cw.accounts.holds import ALL_MODELS, Account, HoldKind, Window
from cw.accounts.identity import AccountKind, Identity
from cw.budgets.scopes import Payers
from cw.fleet_models import Worker
from cw.models import TaskSpec
from cw.services.flower.metrics import Metrics
from cw.states import Move, OutcomeKind
from cw.store.accounts import Held, Refused
from cw.store.lease_values import Grant, Holder, Payer, Refusal, Settlement, Spending
from cw.store.store import Store
from tests.integration.test_store_leases import created
from tests.making import make_outcome
from tests.waiting import wait_until

TEAM = Identity("a" * 16, AccountKind.SUBSCRIPTION, "team-a")
HELD, PROBED, STAGGERED = (Refusal(f"account {word}") for word in ("held", "probed", "staggered"))
SPREAD = 60.0
MS = 0.001  # what the scripts count in
AGAIN = (0.02, 0.04, 0.06, 0.06)


@pytest.fixture
def fleet(store: Store) -> Store:
    for worker in ("01", "02", "03"):
        store.accounts.tell(worker, TEAM)
    return store


def account(store: Store) -> Account:
    return store.accounts.read([TEAM.id])[TEAM.id]


def test_metrics_tell_of_accounts_what_they_are_at(fleet: Store) -> None:
    for worker in ("01", "02", "03"):
        fleet.fleet.register_worker(Worker(id=worker, host="here", home=f"/{worker}"))
        fleet.accounts.tell(worker, TEAM)
    spec = created(fleet)
    granted = take(fleet, spec)
    assert isinstance(granted, Grant)
    outcome = make_outcome(OutcomeKind.SUCCEEDED, cost_usd=0.25, turns=1)
    spending = Spending(Payers("01", TEAM.id), datetime.now(UTC))
    done = Settlement(Move.FINISH, outcome, spending=spending)
    assert fleet.tasks.settle(Holder(spec.id, "01", granted.fence), done)
    hold(fleet)
    fleet.accounts.met(TEAM.id, [Window(kind="five_hour", utilization=0.5)])

    said = Metrics(fleet).text().decode()

    assert f'cw_account_cost_usd_today{{account="{TEAM.name}"}} 0.25' in said
    assert f'cw_account_held{{account="{TEAM.name}"}} 1.0' in said
    assert f'cw_account_window_used{{account="{TEAM.name}",window="five_hour"}} 0.5' in said


def take(
    store: Store, spec: TaskSpec, worker: str = "01", *, ttl: float = 600, spread: float = SPREAD
) -> Grant | Refusal:
    payers = Payers("01", TEAM.id)
    payer = Payer(Spending(payers, datetime.now(UTC)), spec.model, spread)
    return store.tasks.acquire(
        spec.id, worker=worker, host="here", ttl=ttl, session="s", payer=payer
    )


def hold(
    store: Store, seconds: float | None = 3600, kind: HoldKind = HoldKind.LIMIT, **more: Any
) -> Held:
    until = None if seconds is None else store.tasks.now() + timedelta(seconds=seconds)
    given: dict[str, Any] = {"kind": kind, "task": "T", "until": until}
    return store.accounts.hold(TEAM.id, Refused(**(given | more)))


def put_off(store: Store, spec: TaskSpec, granted: Grant, worker: str = "01") -> None:
    """Its run ended with its account."""
    outcome = make_outcome(OutcomeKind.DEFERRED, retry_at=store.tasks.now())
    holder = Holder(spec.id, worker, granted.fence)
    assert store.tasks.settle(holder, Settlement(Move.HOLD, outcome, charged=False))


def released(store: Store, spec: TaskSpec) -> None:
    task = store.tasks.get(spec.id)
    assert task
    wait_until(lambda: store.tasks.requeue(task, Move.RELEASE))


def test_nothing_starts_on_an_account_that_is_held(fleet: Store) -> None:
    hold(fleet)

    assert take(fleet, created(fleet)) == HELD


def test_what_is_not_on_it_starts(fleet: Store) -> None:
    hold(fleet)
    spec = created(fleet)

    assert isinstance(
        fleet.tasks.acquire(spec.id, worker="09", host="here", ttl=60, session="s"), Grant
    )


def test_limit_of_one_model_lets_the_others_start(fleet: Store) -> None:
    hold(fleet, scope="opus")

    assert take(fleet, created(fleet, model="claude-opus-5", issue=1)) == HELD
    assert isinstance(take(fleet, created(fleet, model="sonnet", issue=2)), Grant)


def test_of_fifty_at_the_reset_one_goes(fleet: Store) -> None:
    hold(fleet, 0)
    specs = [created(fleet, issue=number) for number in range(50)]

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda at: take(fleet, specs[at], f"{at:02}"), range(50)))

    assert sum(isinstance(one, Grant) for one in said) == 1
    assert [one for one in said if isinstance(one, Refusal)] == [PROBED] * 49


def test_when_it_is_answered_the_others_follow_one_after_the_other(fleet: Store) -> None:
    hold(fleet, 0)
    first, second, third = (created(fleet, issue=number) for number in range(3))
    assert isinstance(take(fleet, first, "01", spread=0.5), Grant)

    assert fleet.accounts.heard(TEAM.id, first.id, 0.5, 3)

    assert account(fleet).holds == ()
    assert take(fleet, second, "02", spread=0.5) == STAGGERED
    wait_until(lambda: isinstance(take(fleet, second, "02", spread=0.5), Grant))
    assert take(fleet, third, "03", spread=0.5) == STAGGERED


def test_word_of_another_task_ends_no_hold(fleet: Store) -> None:
    hold(fleet, 0)
    take(fleet, created(fleet, issue=1))

    assert not fleet.accounts.heard(TEAM.id, "another", SPREAD, 3)
    assert account(fleet).holds


def test_canary_that_is_refused_moves_the_hold_and_the_next_one_tries(fleet: Store) -> None:
    hold(fleet, 0)
    spec, other = created(fleet, issue=1), created(fleet, issue=2)
    granted = take(fleet, spec)
    assert isinstance(granted, Grant)

    hold(fleet, 0.3, task=spec.id)
    put_off(fleet, spec, granted)

    assert take(fleet, other, "02") == HELD
    wait_until(lambda: isinstance(take(fleet, other, "02"), Grant))
    released(fleet, spec)
    assert take(fleet, spec) == PROBED


def test_canary_whose_lease_ended_is_none_any_more(fleet: Store) -> None:
    hold(fleet, 0)
    assert isinstance(take(fleet, created(fleet, issue=1), ttl=0.05), Grant)
    other = created(fleet, issue=2)

    wait_until(lambda: isinstance(take(fleet, other, "02"), Grant))


def test_canary_stays_it_when_another_run_is_refused(fleet: Store) -> None:
    hold(fleet, 0)
    assert isinstance(take(fleet, created(fleet, issue=1)), Grant)

    hold(fleet, 0, task="another")

    assert take(fleet, created(fleet, issue=2), "02") == PROBED


def test_word_of_the_canary_ends_no_hold_that_another_run_met_since(fleet: Store) -> None:
    hold(fleet, 0)
    first = created(fleet, issue=1)
    assert isinstance(take(fleet, first), Grant)
    hold(fleet, 3600, task="another")

    assert not fleet.accounts.heard(TEAM.id, first.id, SPREAD, 3)

    assert take(fleet, created(fleet, issue=2), "02") == HELD


def test_task_that_is_put_off_with_its_account_is_charged_nothing(fleet: Store) -> None:
    spec = created(fleet)
    for _ in range(10):
        granted = take(fleet, spec)
        assert isinstance(granted, Grant)
        put_off(fleet, spec, granted)
        released(fleet, spec)
    task = fleet.tasks.get(spec.id)

    assert task
    assert (task.deferrals, task.losses, task.attempt) == (0, 0, 10)


def test_what_waits_for_a_person_is_not_shortened_by_what_passes(fleet: Store) -> None:
    assert hold(fleet, None, HoldKind.CREDENTIAL) == Held(True, None)

    assert hold(fleet, 0, HoldKind.OVERLOAD, pauses=[timedelta(seconds=1)]) == Held(False, None)
    assert [one.kind for one in account(fleet).holds] == [HoldKind.CREDENTIAL]


def test_credential_that_is_refused_outweighs_a_limit(fleet: Store) -> None:
    hold(fleet)

    assert hold(fleet, None, HoldKind.CREDENTIAL) == Held(True, None)
    assert hold(fleet, None, HoldKind.CREDENTIAL).news  # its host was killed, and says it again
    assert not hold(fleet, None, HoldKind.CREDENTIAL, task="another").news


def test_longer_limit_stays(fleet: Store) -> None:
    week = hold(fleet, 7 * 86400)

    assert hold(fleet, 3600).until == week.until


def test_outage_is_left_alone_for_longer_each_time_and_then_somebody_has_to_look(
    fleet: Store,
) -> None:
    pauses = [timedelta(seconds=number) for number in AGAIN[:3]]

    def struck(give_up: float = 3600) -> float | None:
        wait_until(lambda: all(one.due(fleet.tasks.now()) for one in account(fleet).holds))
        before = fleet.tasks.now()
        found = hold(
            fleet, None, HoldKind.OVERLOAD, pauses=pauses, give_up=timedelta(seconds=give_up)
        )
        return (found.until - before).total_seconds() if found.until else None

    lasted = [struck() or 0 for _ in range(4)]

    assert all(one > pause - MS for one, pause in zip(lasted, AGAIN, strict=True)), lasted
    assert struck(give_up=0) is None


def test_runs_that_meet_one_outage_count_once(fleet: Store) -> None:
    pauses = [timedelta(seconds=60), timedelta(seconds=600)]
    first = hold(fleet, None, HoldKind.OVERLOAD, pauses=pauses)

    assert [hold(fleet, None, HoldKind.OVERLOAD, pauses=pauses).until for _ in range(3)] == [
        first.until
    ] * 3


def test_person_who_mended_it_has_one_task_try(fleet: Store) -> None:
    hold(fleet, None, HoldKind.CREDENTIAL)

    assert fleet.accounts.resume(TEAM.id, mended=True) == 1

    assert isinstance(take(fleet, created(fleet, issue=1)), Grant)
    assert take(fleet, created(fleet, issue=2), "02") == PROBED


@pytest.mark.parametrize("mended", [True, False])
def test_limit_is_tried_early_only_for_who_says_so(fleet: Store, mended: bool) -> None:
    hold(fleet)

    fleet.accounts.resume(TEAM.id, mended=mended)

    assert (take(fleet, created(fleet)) == HELD) is mended


def test_windows_are_kept_as_they_were_told(fleet: Store) -> None:
    window = Window(kind="five_hour", utilization=0.83, resets_at=fleet.tasks.now())

    fleet.accounts.met(TEAM.id, [window])

    found = account(fleet)
    assert (found.name, found.kind, found.used) == ("team-a", "subscription", 0.83)
    assert found.windows[0].scope == ALL_MODELS


def test_hold_that_cannot_be_read_holds_nothing(fleet: Store) -> None:
    with fleet.connection.errors() as client:
        client.hset(f"cw:account:{TEAM.id}", "hold:*", "{nonsense")

    assert isinstance(take(fleet, created(fleet)), Grant)
    assert account(fleet).holds == ()
    assert any("account" in one.what for one in fleet.connection.unreadable.all())
