"""A record at the broker that cannot be read costs only itself, and is named."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cw.audit import Head
from cw.cli.context import load_cli
from cw.cli.doctor.broker import broker_checks
from cw.fleet_models import Host, Worker
from cw.models import Task
from cw.operations.assignment.eligibility import idle_workers
from cw.operations.reconciliation.sweep import hint_next, sweep
from cw.operations.reconciliation.unreadable_records import look_at_all, set_aside
from cw.operations.views.overview import overview, read_fleet
from cw.services.flower.listing import RecordReader
from cw.services.flower.metrics import Metrics
from cw.settings import Settings
from cw.states import Move, State
from cw.store import keys
from cw.store.github_cache import Budget
from cw.store.lease_values import Grant
from cw.store.store import Store
from cw.store.unreadable import Unreadable
from tests.integration.damaging import (
    BYTES,
    DAMAGES,
    EFFECT,
    FAILURE,
    HOLD,
    LISTS,
    OF_A_TASK,
    Fleet,
    other_type,
    raw_client,
    records,
    tasks_of,
)
from tests.integration.test_store_leases import settle
from tests.making import KEYRING, NOW, make_spec

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
VIEWS = (
    ("status", "--json"),
    ("queue",),
    ("hosts",),
    ("history", "--json"),
    ("todos",),
)


@pytest.fixture
def fleet(store: Store, cw_environ: dict[str, str], redis_url: str) -> Fleet:
    key = cw_environ["CW_SIGNING_KEY_FILE"] = f"{cw_environ['HOME']}/key"
    with open(key, "w", opener=_private) as file:
        file.write(KEYRING.keys[0].decode().replace(" ", "-"))
    cw_environ["CW_BROKER_URL"] = redis_url
    for one in ("01", "02"):
        store.fleet.register_worker(Worker(id=one, host="there", home=f"/nowhere/{one}"))
    for name in ("there", "elsewhere"):
        store.fleet.beat(Host(name=name, workers=2, claude="2.1.0"), store.tasks.now())
        store.outbox.add(name, [EFFECT])
        store.audit.keep(name, Head(1, "b" * 64))
    store.github.keep_budget("one", Budget(5000, 5000, 1))
    store.github.keep_fact("known", "yes", timedelta(days=1))
    store.github.keep_page("page", "etag", "[]")
    store.locks.burn("a nonce", 60)
    store.breakers.failed(FAILURE, "lost", 5)
    store.breakers.hold(HOLD)
    return Fleet(store, raw_client(redis_url), tasks_of(store, "01", 10), tasks_of(store, "02", 20))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def everything_else_works(fleet: Fleet, cw: Cw) -> str:
    """Commands, passes and pages. Returns what they told a person."""
    said = ""
    for words in (
        *VIEWS,
        ("show", fleet.well[State.RUNNING].id),
        ("show", "02"),
        ("inspect", "02"),
    ):
        done = cw(*words)
        said += done.stderr
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        if words == ("status", "--json"):
            seen = json.loads(done.stdout)
            (mine,) = [one for one in seen["workers"] if one["worker"] == "02"]
            assert mine["about"]["task"] == fleet.well[State.RUNNING].id
        if words == ("history", "--json"):
            assert fleet.well[State.DONE].id in {one["task"] for one in json.loads(done.stdout)}
    fresh = fleet.again()
    assert fleet.open_well() <= {one.spec.id for one in fresh.tasks.open_tasks()}
    assert fresh.tasks.waiting("02")[-1] == fleet.well[State.QUEUED].id
    RecordReader(fresh).read()
    assert b"cw_up 1.0" in Metrics(fresh).text()
    hosts, workers, tasks = fresh.fleet.hosts(), fresh.fleet.workers(), fresh.tasks.open_tasks()
    idle_workers(workers, hosts, tasks, 0, fresh.tasks.now())
    first = next(iter(fresh.outbox.pending("there")), None)
    assert first
    assert first.effect == EFFECT
    next(iter(fresh.outbox.pending("elsewhere")), None)
    return said


def passes_work(fleet: Fleet) -> None:
    """Sweep, hints, the run of another worker, a new task for the damaged one's worker."""
    fresh = fleet.again()
    hinted: list[str] = []
    store_now = fresh.tasks.now()
    fresh.fleet.beat(Host(name="there", workers=2), store_now)
    fresh.fleet.beat(Host(name="elsewhere"), store_now)
    sweep(fresh, lambda spec, _: hinted.append(spec.id), Settings(sweep_every=0))
    waits, runs = fleet.well[State.QUEUED], fleet.well[State.RUNNING]
    fresh.tasks.mark_unhinted(waits.id)
    assert hint_next(fresh, lambda spec, _: hinted.append(spec.id), "02") == waits.id
    task = fresh.tasks.get(runs.id)
    assert task
    assert fresh.tasks.renew(runs.id, task.fence, 60)
    settle(fresh, runs, task.fence, Move.FINISH, worker="02")
    assert (
        fresh.tasks.acquire(waits.id, worker="02", host="there", ttl=60, session="s").__class__
        is Grant
    )


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_records_cost_only_themselves(fleet: Fleet, cw: Cw, how: str) -> None:
    """One of every kind at once: what is left of the fleet does not notice."""
    for key in records(fleet).values():
        DAMAGES[how](fleet, key)

    everything_else_works(fleet, cw)
    passes_work(fleet)

    set_aside(fleet.again())
    assert look_at_all(fleet.again()) == []


def test_damaged_field_of_a_task_costs_that_task(fleet: Fleet, cw: Cw) -> None:
    """Each field of a waiting task in turn, all of them in the line before the one that is well."""
    for number, break_it in enumerate(OF_A_TASK.values(), start=100):
        spec = make_spec(issue=number, wanted_worker="02", created_at=NOW - timedelta(days=1))
        fleet.store.tasks.create(spec, "")
        fleet.raw.zadd(keys.waiting("02"), {spec.id: number})
        break_it(fleet, keys.task(spec.id))

    everything_else_works(fleet, cw)
    passes_work(fleet)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_in_any_field_cost_only_their_record(fleet: Fleet, data: st.DataObject) -> None:
    """In one process, so that many can be tried, each of which finds all as it was."""
    whole = {name: fleet.raw.dump(name) for name in fleet.raw.keys("*")}
    hashes = [one for one in records(fleet).values() if fleet.type(one) == "hash"]
    key = data.draw(st.sampled_from(hashes))
    field = data.draw(st.sampled_from(sorted(fleet.raw.hkeys(key))))
    fleet.raw.hset(
        key, field, data.draw(st.binary(max_size=40) | st.just(b"-1") | st.just(b"1e999"))
    )
    fresh = fleet.again()
    try:
        overview(read_fleet(fresh), fresh.tasks.now())
        look_at_all(fresh)
        sweep(fresh, lambda *_: None, Settings())
        assert fleet.open_well() <= {one.spec.id for one in fresh.tasks.open_tasks()}
        Metrics(fresh).text()
    finally:
        for name, value in whole.items():
            fleet.raw.restore(name, 0, value, replace=True)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_another_type_is_made_anew(fleet: Fleet, cw: Cw, name: str) -> None:
    """By the sweep of any host. Nothing is lost of it, and nothing is given twice."""
    key = LISTS[name]
    before = {one.spec.id for one in fleet.store.tasks.open_tasks()}
    fence = int(fleet.raw.get(keys.FENCE))
    other_type(fleet, key)
    for words in VIEWS:
        done = cw(*words)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr

    fresh = fleet.again()
    sweep(fresh, lambda *_: None, Settings())
    for one in ("01", "02"):  # as their host does it every few seconds
        fresh.fleet.register_worker(Worker(id=one, host="there", home=f"/nowhere/{one}"))
    fresh.fleet.beat(Host(name="there", workers=2), fresh.tasks.now())
    sweep(fresh, lambda *_: None, Settings())

    assert {one.spec.id for one in fresh.tasks.open_tasks()} == before
    assert len(fresh.tasks.done_tasks(10)) == 2
    assert len(fresh.tasks.finished([("acme/app", 10), ("acme/app", 20)])) == 2
    passes_work(fleet)
    assert int(fleet.raw.get(keys.FENCE)) > fence


def test_it_is_named_with_what_to_type_and_set_aside_by_that(fleet: Fleet, cw: Cw) -> None:
    spec = fleet.sick[State.QUEUED]
    fleet.raw.hset(keys.task(spec.id), "reason", BYTES)

    status = cw("status", "--json")
    shown = cw("show", spec.id)
    checks = [one for one in broker_checks(load_cli(environ(fleet))) if one.name == "records"]

    (told,) = json.loads(status.stdout)["unreadable"]
    assert told["what"] == f"task {spec.id}"
    assert status.stderr.count(spec.id) == 1
    assert "cw reconcile --set-aside" in status.stderr
    assert (shown.returncode, "cannot be read" in shown.stderr) == (1, True)
    assert [(one.state, one.fix) for one in checks] == [("warn", "cw reconcile --set-aside")]
    done = cw("reconcile", "--set-aside", "--dry-run")
    assert f"task {spec.id} would be set aside" in done.stdout
    assert fleet.raw.exists(keys.task(spec.id))
    done = cw("reconcile", "--set-aside")
    assert f"task {spec.id} was set aside" in done.stdout
    assert not fleet.raw.exists(keys.task(spec.id))
    (kept,) = fleet.raw.keys("cw:aside:*")
    assert fleet.raw.hget(kept, "reason") == BYTES
    assert 0 < fleet.raw.ttl(kept) <= 30 * 24 * 3600
    assert not fleet.raw.exists(keys.claim("acme/app", 12))
    assert fleet.again().tasks.waiting("01") == []
    assert cw("status").stderr == ""


def environ(fleet: Fleet) -> dict[str, str]:
    return os.environ | {"CW_BROKER_URL": fleet.store.connection.url}


def test_a_record_of_a_newer_cw_is_left_alone(fleet: Fleet) -> None:
    """It is no damage: this cw is too old for it."""
    spec = fleet.sick[State.QUEUED]
    OF_A_TASK["newer, unknown"](fleet, keys.task(spec.id))

    assert set_aside(fleet.again()) == ()
    assert fleet.again().tasks.too_new() == [spec.id]
    assert fleet.raw.exists(keys.task(spec.id))


def test_each_is_told_once_in_a_process_that_looks_again_and_again(fleet: Fleet) -> None:
    fresh = fleet.again()
    told: list[Unreadable] = []
    fresh.connection.unreadable.tell = told.append
    spec = fleet.sick[State.QUEUED]
    fleet.raw.hset(keys.task(spec.id), "fence", b"many")

    for _ in range(3):
        fresh.tasks.open_tasks()
    fleet.raw.hset(keys.task(spec.id), "fence", 0)
    fresh.tasks.open_tasks()
    assert fresh.connection.unreadable.all() == []
    fleet.raw.hset(keys.task(spec.id), "fence", b"many")
    fresh.tasks.open_tasks()

    assert [one.what for one in told] == [f"task {spec.id}"] * 2


def test_script_that_would_end_in_the_middle_changes_nothing(fleet: Fleet) -> None:
    """A run whose end cannot be written as a whole is written later."""
    other_type(fleet, keys.LEASES)
    spec = fleet.well[State.RUNNING]
    task: Task | None = fleet.again().tasks.get(spec.id)
    assert task
    before = fleet.raw.hgetall(keys.task(spec.id))

    with pytest.raises(Exception, match="WRONGTYPE"):
        settle(fleet.again(), spec, task.fence, Move.FINISH, worker="02")

    assert fleet.raw.hgetall(keys.task(spec.id)) == before
    sweep(fleet.again(), lambda *_: None, Settings())
    assert settle(fleet.again(), spec, task.fence, Move.FINISH, worker="02")
