"""Leases on a real server: one holder a task, one task a worker, and a fence that only rises."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cw.errors import ClaimedError
from cw.models import Task, TaskSpec
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Grant, Holder, Refusal, Settlement
from cw.store.store import Store
from tests.making import make_outcome, make_spec
from tests.waiting import wait_until

SHORT, LONG = 0.05, 600.0


def created(store: Store, **changed: object) -> TaskSpec:
    spec = make_spec(**changed)
    store.tasks.create(spec, "the prompt")
    return spec


def acquire(store: Store, spec: TaskSpec, worker: str = "01", ttl: float = LONG) -> Grant | Refusal:
    return store.tasks.acquire(spec.id, worker=worker, host="here", ttl=ttl, session=f"s-{worker}")


def granted(store: Store, spec: TaskSpec, worker: str = "01", ttl: float = LONG) -> Grant:
    answer = acquire(store, spec, worker, ttl)
    assert isinstance(answer, Grant), answer
    return answer


def adopt(store: Store, spec: TaskSpec, fence: int, worker: str = "01") -> int | Refusal:
    return store.tasks.adopt(spec.id, worker=worker, host="there", ttl=LONG, fence=fence)


def settle(
    store: Store, spec: TaskSpec, fence: int, move: Move = Move.FINISH, worker: str = "01"
) -> bool:
    later = store.tasks.now() + timedelta(hours=1) if move is Move.HOLD else None
    kind = OutcomeKind.DEFERRED if move is Move.HOLD else OutcomeKind.SUCCEEDED
    return store.tasks.settle(
        Holder(spec.id, worker, fence),
        Settlement(move, make_outcome(kind, retry_at=later)),
    )


def record(store: Store, spec: TaskSpec) -> Task:
    task = store.tasks.get(spec.id)
    assert task
    return task


def expire(store: Store, spec: TaskSpec, move: Move = Move.EXPIRE) -> None:
    wait_until(lambda: store.tasks.requeue(record(store, spec), move, "silent"))


def worker_task(store: Store, worker: str = "01") -> str | None:
    """Known only to a registered worker; here the record is read as the scripts leave it."""
    value: str | None = store.connection.client.hget(f"cw:worker:{worker}", "task")
    return value or None


def test_acquired_task_runs_with_a_lease_on_the_servers_clock(store: Store) -> None:
    spec = created(store)
    before = store.tasks.now()

    grant = granted(store, spec)

    task = record(store, spec)
    assert (task.state, task.worker, task.host) == (State.RUNNING, "01", "here")
    assert (task.attempt, task.fence, task.session) == (1, grant.fence, "s-01")
    assert task.lease_until is not None
    assert task.lease_until - before >= timedelta(seconds=LONG - 1)
    assert store.tasks.waiting(None) == []
    assert worker_task(store) == spec.id


@pytest.mark.parametrize("round_", range(5))
def test_of_many_that_race_one_is_granted(store: Store, round_: int) -> None:
    spec = created(store)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: acquire(store, spec, f"{n % 8:02}"), range(40)))

    assert Counter(type(one) for one in answers) == {Grant: 1, Refusal: 39}


def test_one_worker_that_races_for_many_tasks_gets_one(store: Store) -> None:
    specs = [created(store, issue=number) for number in range(1, 25)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda spec: acquire(store, spec), specs))

    got = [one for one in answers if isinstance(one, Grant)]
    assert len(got) == 1
    assert worker_task(store) == got[0].task_id
    assert {one.reason for one in answers if isinstance(one, Refusal)} == {"busy"}


def test_task_of_one_worker_is_not_given_to_another(store: Store) -> None:
    spec = created(store, wanted_worker="02")

    assert acquire(store, spec, "01") == Refusal("other worker")
    assert isinstance(acquire(store, spec, "02"), Grant)


def test_paused_worker_is_refused(store: Store) -> None:
    store.fleet.pause("01", "by a person")

    assert acquire(store, created(store)) == Refusal("paused")


def test_unknown_task_is_gone(store: Store) -> None:
    spec = make_spec()

    assert acquire(store, spec) == adopt(store, spec, 1) == Refusal("gone")
    assert not store.tasks.renew(spec.id, 1, LONG)
    assert not settle(store, spec, 1)
    assert store.connection.client.keys("*") == []


def test_fence_rises_over_all_tasks(store: Store) -> None:
    fences = [granted(store, created(store, issue=n), f"{n:02}").fence for n in range(1, 6)]

    assert fences == sorted(set(fences))


def test_renewed_lease_does_not_expire(store: Store) -> None:
    spec = created(store)
    grant = granted(store, spec, ttl=SHORT)

    assert store.tasks.renew(spec.id, grant.fence, LONG)
    assert not store.tasks.requeue(record(store, spec), Move.EXPIRE, "silent")
    assert record(store, spec).state is State.RUNNING


def test_expired_lease_returns_the_task_to_its_workers_queue(store: Store) -> None:
    spec = created(store)
    granted(store, spec, ttl=SHORT)

    expire(store, spec)

    task = record(store, spec)
    assert (task.state, task.reason, task.losses) == (State.QUEUED, "silent", 1)
    assert store.tasks.waiting("01") == [spec.id]
    assert store.tasks.waiting(None) == []
    assert acquire(store, spec, "02") == Refusal("other worker")  # its clone is with 01
    assert granted(store, spec).attempt == 2


def test_resumed_run_keeps_its_session(store: Store) -> None:
    spec = created(store)
    first = granted(store, spec, ttl=SHORT)
    expire(store, spec)

    answer = store.tasks.acquire(spec.id, worker="01", host="here", ttl=LONG, session="new")

    assert isinstance(answer, Grant)
    assert answer.session == first.session


def test_requeued_task_keeps_its_place_in_line(store: Store) -> None:
    now = store.tasks.now()
    old = created(store, issue=1, wanted_worker="01", created_at=now)
    granted(store, old, ttl=SHORT)
    later = now + timedelta(milliseconds=1)  # two of one millisecond would have no order
    young = created(store, issue=2, wanted_worker="01", created_at=later)

    expire(store, old)

    assert store.tasks.waiting("01") == [old.id, young.id]


def test_stale_fence_is_refused_everywhere(store: Store) -> None:
    spec = created(store)
    old = granted(store, spec, ttl=SHORT).fence
    expire(store, spec)
    new = granted(store, spec).fence

    assert not store.tasks.renew(spec.id, old, LONG)
    assert [settle(store, spec, old, move) for move in (Move.FINISH, Move.HOLD, Move.STOP)] == [
        False,
        False,
        False,
    ]
    assert adopt(store, spec, old) == Refusal("running")
    task = record(store, spec)
    assert (task.state, task.fence, task.outcome) == (State.RUNNING, new, None)
    assert store.tasks.renew(spec.id, new, LONG)


def test_lease_that_expired_cannot_be_renewed(store: Store) -> None:
    spec = created(store)
    fence = granted(store, spec, ttl=SHORT).fence
    expire(store, spec)

    assert not store.tasks.renew(spec.id, fence, LONG)
    assert not settle(store, spec, fence)


@pytest.mark.parametrize("move", [None, Move.EXPIRE, Move.LOSE])
def test_live_run_is_adopted_even_after_its_lease_ended(store: Store, move: Move | None) -> None:
    spec = created(store)
    old = granted(store, spec, ttl=SHORT).fence
    if move:
        expire(store, spec, move)

    new = adopt(store, spec, old)

    assert isinstance(new, int)
    assert new > old
    task = record(store, spec)
    assert (task.state, task.attempt, task.host) == (State.RUNNING, 1, "there")
    assert store.tasks.waiting("01") == store.tasks.waiting(None) == []
    assert adopt(store, spec, old) == Refusal("running")


@pytest.mark.parametrize("move", [Move.FINISH, Move.HOLD, Move.STOP, Move.EXPIRE])
def test_settled_run_cannot_be_adopted_or_settled_again(store: Store, move: Move) -> None:
    """A host that died between settling and archiving left a journal that looks unfinished."""
    spec = created(store)
    fence = granted(store, spec).fence
    assert settle(store, spec, fence, move)

    assert isinstance(adopt(store, spec, fence), Refusal)
    assert not settle(store, spec, fence, move)


def test_worker_with_another_task_cannot_adopt(store: Store) -> None:
    first, second = created(store, issue=1), created(store, issue=2)
    fence = granted(store, first, "01", ttl=SHORT).fence
    expire(store, first)
    granted(store, second, "02")

    assert adopt(store, first, fence, worker="02") == Refusal("busy")
    assert worker_task(store, "02") == second.id


def test_finished_task_frees_issue_and_worker(store: Store) -> None:
    spec = created(store)
    grant = granted(store, spec)

    assert settle(store, spec, grant.fence)

    task = record(store, spec)
    assert (task.state, task.lease_until) == (State.DONE, None)
    assert task.outcome == make_outcome()
    assert task.ended_at is not None
    assert store.tasks.claimed_by("acme/app", 22) is None
    assert worker_task(store) is None
    assert [one.spec.id for one in store.tasks.done_tasks(5)] == [spec.id]
    assert store.tasks.open_tasks() == []


def test_held_task_keeps_issue_and_worker_until_its_time(store: Store) -> None:
    spec = created(store)
    settle(store, spec, granted(store, spec).fence, Move.HOLD)

    task = record(store, spec)
    assert (task.state, task.deferrals) == (State.HELD, 1)
    assert store.tasks.claimed_by("acme/app", 22) == spec.id
    assert worker_task(store) == spec.id
    assert acquire(store, spec) == Refusal("held")
    assert not store.tasks.requeue(task, Move.RELEASE)
    assert record(store, spec).state is State.HELD


def test_hold_that_names_no_time_is_over_at_once(store: Store) -> None:
    spec = created(store)
    grant = granted(store, spec)
    outcome = make_outcome(OutcomeKind.DEFERRED)
    store.tasks.settle(
        Holder(spec.id, "01", grant.fence),
        Settlement(Move.HOLD, outcome),
    )

    assert store.tasks.requeue(record(store, spec), Move.RELEASE)
    assert record(store, spec).state is State.QUEUED


def test_two_sweeps_release_a_task_once(store: Store) -> None:
    spec = created(store)
    granted(store, spec, ttl=SHORT)
    task = record(store, spec)
    wait_until(lambda: task.lease_until and store.tasks.now() > task.lease_until)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: store.tasks.requeue(task, Move.EXPIRE), range(16)))

    assert sum(done) == 1
    assert record(store, spec).losses == 1


def test_concurrent_dispatches_of_one_issue_make_one_task(store: Store) -> None:
    specs = [make_spec(repo=repo) for repo in ("acme/app", "Acme/App") * 12]

    def create(spec: TaskSpec) -> str:
        try:
            store.tasks.create(spec, "p")
        except ClaimedError as error:
            return error.task_id
        return spec.id

    with ThreadPoolExecutor(8) as pool:
        holders = set(pool.map(create, specs))

    assert len(holders) == 1
    assert holders == {store.tasks.claimed_by("acme/app", 22)}
    assert [one.spec.id for one in store.tasks.open_tasks()] == list(holders)


@pytest.mark.parametrize(
    ("wanted", "asked", "waits"),
    [
        (None, None, True),
        (None, "01", True),
        ("01", "01", True),
        ("01", "02", False),
        ("01", None, False),
    ],
)
def test_task_waits_for_its_worker_only_and_not_while_it_runs(
    store: Store, wanted: str | None, asked: str | None, waits: bool
) -> None:
    spec = make_spec(wanted_worker=wanted)
    store.tasks.create(spec, "")

    assert store.tasks.waits_for(spec.id, asked) is waits
    store.tasks.acquire(spec.id, worker="01", host="h", ttl=60, session="s")
    assert not store.tasks.waits_for(spec.id, "01")
    assert not store.tasks.waits_for("none", "01")
