"""The lines in which tasks wait: what does not wait there holds nobody up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cw.models import Task, TaskSpec
from cw.operations.reconciliation.sweep import hint_next
from cw.states import Move, State
from cw.store.lease_values import Grant
from cw.store.store import Store
from tests.integration.test_store_leases import created, expire, granted, record


def hinted(store: Store, worker: str = "01") -> str | None:
    return hint_next(store, lambda _spec, _line: None, worker)


def taken_and_expired(store: Store, spec: TaskSpec) -> Grant:
    """A pool task that a host took and fell silent with: it waits for its worker now."""
    grant = granted(store, spec, ttl=0.05)
    expire(store, spec)
    assert store.tasks.waiting("01") == [spec.id]
    return grant


def stop_as_seen(store: Store, seen: Task) -> None:
    assert store.tasks.want_stop(seen, "ann") is State.STOPPED


def test_stop_from_an_old_look_leaves_no_id_that_holds_up_the_line(store: Store) -> None:
    spec = created(store, created_at=datetime(2020, 1, 1, tzinfo=UTC))
    seen = record(store, spec)  # in the pool
    taken_and_expired(store, spec)
    stop_as_seen(store, seen)
    later = created(store, issue=23, wanted_worker="01")

    assert hinted(store) == later.id

    assert store.tasks.waiting("01") == [later.id]


@pytest.mark.parametrize("line", ["01", None])
def test_line_of_nothing_but_strays_is_emptied(store: Store, line: str | None) -> None:
    for number in range(5):
        store.connection.client.zadd(f"cw:waiting:{line or '*'}", {f"gone-{number}": number})

    assert store.tasks.first_waiting(line) is None

    assert store.tasks.waiting(line) == []


def test_task_in_the_wrong_line_is_moved_to_its_own(store: Store) -> None:
    spec = created(store)
    taken_and_expired(store, spec)
    client = store.connection.client
    client.zrem("cw:waiting:01", spec.id)
    client.zadd("cw:waiting:*", {spec.id: 5})

    assert store.tasks.first_waiting(None) is None

    assert store.tasks.waiting("01") == [spec.id]
    assert store.tasks.waiting(None) == []
    assert client.zscore("cw:waiting:01", spec.id) == 5


def test_order_of_a_line_is_kept(store: Store) -> None:
    first, second = created(store), created(store, issue=23)

    assert store.tasks.first_waiting(None) == first.id
    assert store.tasks.waiting(None) == [first.id, second.id]


def test_lease_that_ended_and_is_adopted_was_no_loss(store: Store) -> None:
    spec = created(store)
    fence = taken_and_expired(store, spec).fence
    assert record(store, spec).losses == 1

    taken = store.tasks.adopt(spec.id, worker="01", host="here", ttl=60, fence=fence)

    assert isinstance(taken, int)
    assert (record(store, spec).state, record(store, spec).losses) == (State.RUNNING, 0)


def test_crashed_task_whose_run_lives_after_all_is_charged_once_less(store: Store) -> None:
    spec = created(store)
    taken_and_expired(store, spec)
    fence = granted(store, spec, ttl=0.05).fence
    expire(store, spec, Move.LOSE)
    assert (record(store, spec).state, record(store, spec).losses) == (State.CRASHED, 2)

    store.tasks.adopt(spec.id, worker="01", host="here", ttl=60, fence=fence)

    assert record(store, spec).losses == 1


def test_adoption_of_a_run_that_never_expired_takes_nothing_back(store: Store) -> None:
    spec = created(store)
    taken_and_expired(store, spec)
    fence = granted(store, spec).fence

    store.tasks.adopt(spec.id, worker="01", host="here", ttl=60, fence=fence)

    assert record(store, spec).losses == 1
