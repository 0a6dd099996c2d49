"""A record at the broker that cannot be read costs only itself, and is named."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cw.audit import Head
from cw.cli.context import load_cli
from cw.cli.doctor.broker import broker_checks
from cw.models import Event, Host, Task, TaskSpec, Worker
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
from cw.store.leases import Grant
from cw.store.outbox import Effect
from cw.store.store import Store, open_store
from cw.store.unreadable import Unreadable
from tests.integration.test_store_leases import granted, settle
from tests.making import KEYRING, NOW, make_spec

Cw = Callable[..., "subprocess.CompletedProcess[str]"]
BYTES = b"\xff\xfe\x00\x80"
HUGE = b"x" * (1 << 20)
NEWER = 99
EFFECT = Effect(kind="comment", repo="acme/app", issue=1, worker="01", text="said")
VIEWS = (
    ("status", "--json"),
    ("queue",),
    ("hosts",),
    ("history", "--json"),
    ("todos",),
)


@dataclass
class Fleet:
    """Workers 01 and 02 here. `sick` is what is damaged, `well` what must not notice."""

    store: Store
    raw: Any
    sick: dict[State, TaskSpec]
    well: dict[State, TaskSpec]

    def again(self) -> Store:
        """As another process sees it."""
        return open_store(self.store.connection.url, KEYRING)

    def open_well(self) -> set[str]:
        return {self.well[one].id for one in (State.QUEUED, State.RUNNING)}

    def type(self, key: str) -> str:
        return str(self.store.connection.client.type(key))


def tasks_of(store: Store, worker: str, first_issue: int) -> dict[State, TaskSpec]:
    """One finished, one running, one that waits."""
    made = {}
    for number, state in enumerate((State.DONE, State.RUNNING, State.QUEUED)):
        spec = make_spec(issue=first_issue + number, wanted_worker=worker)
        store.tasks.create(spec, f"the prompt of {spec.issue}")
        made[state] = spec
        if state is State.QUEUED:
            continue
        grant = granted(store, spec, worker=worker)
        store.events.append(spec.id, [Event(at=store.tasks.now(), kind="init", text="began")])
        if state is State.DONE:
            settle(store, spec, grant.fence, Move.FINISH, worker=worker)
    return made


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
    return Fleet(store, raw_client(redis_url), tasks_of(store, "01", 10), tasks_of(store, "02", 20))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def raw_client(url: str) -> Any:
    return redis.Redis.from_url(url)


def records(fleet: Fleet) -> dict[str, str]:
    """Every kind of key, by a name for people: one that `well` does not need."""
    sick = fleet.sick
    return {
        **{f"{state.value} task": keys.task(spec.id) for state, spec in sick.items()},
        "prompt": keys.prompt(sick[State.QUEUED].id),
        "events": keys.events(sick[State.RUNNING].id),
        "claim": keys.claim("acme/app", 12),
        "worker": keys.worker("01"),
        "host": keys.host("elsewhere"),
        "outbox": keys.outbox("elsewhere"),
        "line": keys.waiting("01"),
        "fact": keys.github_fact("known"),
        "page": keys.github_page("page"),
        "budget": keys.GITHUB_BUDGET,
        "counts": keys.COUNTS,
        "costs": keys.COSTS,
        "audit": keys.AUDIT,
        "finished": keys.FINISHED,
    }


LISTS = {
    "open": keys.OPEN,
    "done": keys.DONE,
    "leases": keys.LEASES,
    "holds": keys.HOLDS,
    "workers": keys.WORKERS,
    "hosts": keys.HOSTS,
    "fence": keys.FENCE,
    "finished": keys.FINISHED,
}


def other_type(fleet: Fleet, key: str) -> None:
    kind = fleet.type(key)
    fleet.raw.delete(key)
    if kind == "string":
        fleet.raw.rpush(key, "x")
    else:
        fleet.raw.set(key, b"x")


def damage(fleet: Fleet, key: str, value: bytes) -> None:
    """Each part of it becomes this."""
    match fleet.type(key):
        case "string":
            fleet.raw.set(key, value)
        case "hash":
            for field in fleet.raw.hkeys(key):
                fleet.raw.hset(key, field, value)
        case "list":
            fleet.raw.lset(key, 0, value)
        case "stream":
            fleet.raw.xadd(key, {"at": value, "kind": value, "data": value})
        case "zset":
            fleet.raw.zadd(key, {value: 0})


def one_field(field: str, value: bytes | int) -> Callable[[Fleet, str], None]:
    return lambda fleet, key: fleet.raw.hset(key, field, value)


def missing(field: str) -> Callable[[Fleet, str], None]:
    return lambda fleet, key: fleet.raw.hdel(key, field)


DAMAGES: dict[str, Callable[[Fleet, str], None]] = {
    "of another type": other_type,
    "no UTF-8": lambda fleet, key: damage(fleet, key, BYTES),
    "empty": lambda fleet, key: damage(fleet, key, b""),
    "huge": lambda fleet, key: damage(fleet, key, HUGE),
    "no JSON": lambda fleet, key: damage(fleet, key, b'{"a": [}'),
    "deep": lambda fleet, key: damage(fleet, key, b"[" * 100_000),
}
OF_A_TASK: dict[str, Callable[[Fleet, str], None]] = {
    "title": one_field("spec", b'{"title": "\xff"}'),
    "lone surrogate": one_field("spec", b'{"title": "\\udcff"}'),
    "state": one_field("state", b"asleep"),
    "time": one_field("lease_until", b"9" * 400),
    "fence": one_field("fence", b"many"),
    "outcome": one_field("outcome", b'{"kind": 5}'),
    "worker": one_field("worker", BYTES),
    "no spec": missing("spec"),
    "no state": missing("state"),
    "another field": one_field("more", b"x"),
    "newer": one_field("protocol", NEWER),
    "newer, unknown": lambda fleet, key: fleet.raw.hset(
        key, mapping={"protocol": NEWER, "spec": b'{"v": 2}', "state": b"dreaming"}
    ),
}


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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_bytes_in_any_field_cost_only_their_record(fleet: Fleet, data: st.DataObject) -> None:
    """In one process, so that many can be tried."""
    hashes = [one for one in records(fleet).values() if fleet.type(one) == "hash"]
    key = data.draw(st.sampled_from(hashes))
    field = data.draw(st.sampled_from(sorted(fleet.raw.hkeys(key))))
    before = fleet.raw.hget(key, field)
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
        fleet.raw.hset(key, field, before)


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
