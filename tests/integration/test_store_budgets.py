"""Ceilings that runs share, on a real server: nobody is given what another may still use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from cw.budgets.ceilings import Amount
from cw.budgets.scopes import Level, Payers, Scope, scopes
from cw.models import TaskSpec
from cw.states import Move, OutcomeKind
from cw.store import keys
from cw.store.lease_values import Grant, Holder, Payer, Refusal, Settlement, Spending
from cw.store.store import Store
from tests.integration.test_store_leases import created
from tests.making import make_outcome

NOW = datetime.now(UTC)
CEILINGS = {Level.FLEET_DAY: Amount(usd=1.0)}


def shared(worker: str, ceilings: dict[Level, Amount]) -> tuple[Scope, ...]:
    return scopes(ceilings, Payers(worker, "acc"), NOW)


def take(
    store: Store, spec: TaskSpec, worker: str, ceilings: dict[Level, Amount] = CEILINGS
) -> Grant | Refusal:
    spending = Spending(Payers(worker, "acc"), NOW)
    payer = Payer(spending, spec.model, 0, shared(worker, ceilings))
    return store.tasks.acquire(
        spec.id, worker=worker, host="here", ttl=600, session="s", payer=payer
    )


def taken(store: Store, spec: TaskSpec, worker: str) -> Grant:
    found = take(store, spec, worker)
    assert isinstance(found, Grant)
    return found


def draw(
    store: Store,
    spec: TaskSpec,
    worker: str,
    took: Amount,
    wanted: Amount,
    ceilings: dict[Level, Amount] = CEILINGS,
) -> Scope | None:
    payers = Payers(worker, "acc")
    return store.budgets.draw(spec.id, payers, shared(worker, ceilings), took, wanted, NOW)


def settle(store: Store, granted: Grant, worker: str, usd: float, turns: int = 1) -> None:
    outcome = make_outcome(OutcomeKind.SUCCEEDED, cost_usd=usd, turns=turns, duration_s=60.0)
    spending = Spending(Payers(worker, "acc"), NOW)
    settlement = Settlement(Move.FINISH, outcome, spending=spending)
    assert store.tasks.settle(Holder(granted.task_id, worker, granted.fence), settlement)


def test_spending_is_summed_up_by_worker_account_and_fleet(store: Store) -> None:
    for worker, usd in (("01", 0.25), ("02", 0.5)):
        settle(store, taken(store, created(store, issue=None), worker), worker, usd, turns=3)

    spent = store.budgets.read(NOW).spent
    day = f"{NOW:%d}"
    assert spent[f"{day}:worker:01"] == Amount(0.25, 3, 60.0)
    assert spent["account:acc"] == spent[f"{day}:account:acc"] == Amount(0.75, 6, 120.0)
    assert spent["fleet"] == spent[f"{day}:fleet"] == Amount(0.75, 6, 120.0)
    assert store.connection.client.hgetall(keys.RESERVED) == {}
    assert store.connection.client.pttl(keys.spent(f"{NOW:%Y-%m}")) > 0


@pytest.mark.parametrize("again", [{Level.FLEET_DAY: Amount(usd=3.0)}, {}])
def test_nothing_begins_below_a_ceiling_that_is_used_up_until_it_is_raised(
    store: Store, again: dict[Level, Amount]
) -> None:
    settle(store, taken(store, created(store, issue=None), "01"), "01", 1.01)
    spec = created(store, issue=None)

    refused = take(store, spec, "02")

    assert isinstance(refused, Refusal)
    assert refused.reason == "budget spent"
    assert refused.scope
    assert refused.scope.setting == "budget.fleet_day"
    assert store.budgets.read(NOW).met == {f"{NOW:%d}:fleet": Amount(usd=1.0)}
    raised = take(store, spec, "02", again)
    assert isinstance(raised, Grant)
    assert store.budgets.read(NOW).met == {}


def test_run_is_given_its_next_turn_only_while_nobody_else_may_use_it(store: Store) -> None:
    first, second = created(store, issue=None), created(store, issue=None)
    taken(store, first, "01")
    taken(store, second, "02")
    assert draw(store, first, "01", Amount(0.3, 1), Amount(0.6, 2)) is None

    refused = draw(store, second, "02", Amount(0.3, 1), Amount(0.6, 2))

    assert refused
    assert refused.setting == "budget.fleet_day"
    third = take(store, created(store, issue=None), "03")
    assert isinstance(third, Refusal)
    assert third.reason == "budget spent"  # a turn does not fit any more
    assert (
        draw(store, first, "01", Amount(0.6, 2), Amount(0.7, 3)) is None
    )  # beside 0.3 of the other


def test_what_running_tasks_may_still_use_is_kept_from_others(store: Store) -> None:
    first = created(store, issue=None)
    taken(store, first, "01")
    assert draw(store, first, "01", Amount(0.5, 1), Amount(1.0, 2)) is None

    refused = take(store, created(store, issue=None), "02")

    assert isinstance(refused, Refusal)
    assert refused.reason == "budget reserved"
    assert store.budgets.read(NOW).met == {}


def test_the_last_of_a_ceiling_is_for_those_that_are_at_work(store: Store) -> None:
    first = created(store, issue=None)
    taken(store, first, "01")
    assert draw(store, first, "01", Amount(0.9, 1), Amount(0.96, 2)) is None

    waits = take(store, created(store, issue=None), "02")

    assert isinstance(waits, Refusal)
    assert waits.reason == "budget reserved"
    assert draw(store, first, "01", Amount(0.96, 2), Amount(1.0, 3)) is None


def test_what_a_run_had_reserved_is_free_when_its_lease_is_over(store: Store) -> None:
    lost = created(store, issue=None)
    taken(store, lost, "01")
    assert draw(store, lost, "01", Amount(0.5, 1), Amount(1.0, 2)) is None
    store.connection.client.zrem(keys.LEASES, lost.id)

    assert isinstance(take(store, created(store, issue=None), "02"), Grant)


def test_each_unit_and_each_level_counts(store: Store) -> None:
    for level, unit in (
        (Level.WORKER_DAY, Amount(turns=2)),
        (Level.ACCOUNT_DAY, Amount(s=90.0)),
        (Level.FLEET_MONTH, Amount(usd=0.5)),
    ):
        store.connection.client.flushdb()
        ceilings = {level: unit}
        settle(store, taken(store, created(store, issue=None), "01"), "01", 0.6, turns=2)
        settle(store, taken(store, created(store, issue=None), "01"), "01", 0.0, turns=0)

        refused = take(store, created(store, issue=None), "01", ceilings)

        assert isinstance(refused, Refusal), level
        assert refused.scope
        assert refused.scope.setting == f"budget.{level}"


def test_fifty_that_begin_at_once_reserve_no_more_than_there_is(store: Store) -> None:
    specs = [created(store, issue=None) for _ in range(50)]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: take(store, one[1], f"{one[0]:02}"), enumerate(specs)))

    granted = [one for one in answers if isinstance(one, Grant)]
    assert len(granted) == 20  # a twentieth each, until they say what a turn takes
    assert {one.reason for one in answers if isinstance(one, Refusal)} == {"budget reserved"}


@pytest.mark.parametrize("text", ["{", "3", '{"places": 3}', '{"places": ["fleet"], "usd": "x"}'])
def test_reservation_that_cannot_be_read_keeps_nothing_from_others(store: Store, text: str) -> None:
    lost = created(store, issue=None)
    taken(store, lost, "01")
    store.connection.client.hset(keys.RESERVED, lost.id, text)

    assert isinstance(take(store, created(store, issue=None), "02"), Grant)


def test_ledger_that_is_no_number_is_counted_from_the_start_and_named(store: Store) -> None:
    key = keys.spent(f"{NOW:%Y-%m}")
    store.connection.client.hset(key, f"{NOW:%d}:fleet:usd", "many")

    settle(store, taken(store, created(store, issue=None), "01"), "01", 0.25)

    assert store.budgets.read(NOW).spent["fleet"].usd == 0.25
    assert store.budgets.read(NOW).spent[f"{NOW:%d}:fleet"].usd == 0.25
    store.connection.client.hset(key, "odd", "x")
    store.budgets.read(NOW)
    assert [one.key for one in store.connection.unreadable.all()] == [key]
