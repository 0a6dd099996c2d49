"""Records of several hosts: lost ones, newer ones, and a machine that joins."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from cw import __version__
from cw.fleet_models import Host, Worker
from cw.models import PROTOCOL, TaskSpec
from cw.operations.fleet.ask import what_to_do
from cw.operations.reconciliation.sweep import hint_next, sweep
from cw.settings import Settings, load_settings
from cw.states import State
from cw.store.lease_values import Grant, Refusal
from cw.store.signing import prompt_sha256
from cw.store.store import Store
from tests.conftest import Cw
from tests.integration.hosting import machine
from tests.integration.test_store_leases import created
from tests.waiting import wait_until

KEY = "k" * 64
SETTINGS = replace(load_settings({})[0], lost_host="redispatch", sweep_every=0.0)


def silent_host(store: Store, seconds: float) -> None:
    """`away` with worker 01, and `here` with 02, which is up."""
    now = store.tasks.now()
    store.fleet.beat(Host(name="away"), now - timedelta(seconds=seconds))
    store.fleet.beat(Host(name="here"), now)
    store.fleet.register_worker(Worker(id="01", host="away"))
    store.fleet.register_worker(Worker(id="02", host="here"))


def wanted(store: Store, worker: str | None) -> TaskSpec:
    return created(store, wanted_worker=worker, prompt_sha256=prompt_sha256("the prompt"))


def swept(store: Store, settings: Settings = SETTINGS) -> tuple[str, ...]:
    return sweep(store, lambda _spec, _line: None, settings).rerouted


def taken(store: Store, spec: TaskSpec, worker: str, host: str) -> Grant | Refusal:
    return store.tasks.acquire(spec.id, worker=worker, host=host, ttl=60, session="s")


def test_work_of_a_lost_host_is_given_to_others_once_its_lease_is_over(store: Store) -> None:
    spec = wanted(store, "01")
    silent_host(store, SETTINGS.lease_ttl + 5)

    assert swept(store) == (spec.id,)

    task = store.tasks.get(spec.id)
    assert task
    assert (task.state, task.line) == (State.QUEUED, None)
    assert store.tasks.waiting(None) == [spec.id]
    assert store.tasks.waiting("01") == []
    assert [one.effect.kind for one in store.outbox.pending(SETTINGS.host_name)[:1]] == ["unlabel"]
    store.tasks.genuine(spec.id, "02")  # signed anew
    assert isinstance(taken(store, spec, "02", "here"), Grant)
    assert swept(store) == ()


def test_tagged_work_of_a_lost_host_goes_to_another_machine_with_the_tag(store: Store) -> None:
    spec = created(store, wanted_worker="01", tag="gpu", prompt_sha256=prompt_sha256("the prompt"))
    silent_host(store, SETTINGS.lease_ttl + 5)
    without = swept(store)

    store.fleet.beat(Host(name="here", tags="big gpu"), store.tasks.now())

    assert without == ()
    assert swept(store) == (spec.id,)
    task = store.tasks.get(spec.id)
    assert task
    assert (task.state, task.line) == (State.QUEUED, "02")
    assert store.tasks.waiting("02") == [spec.id]
    assert isinstance(taken(store, spec, "02", "here"), Grant)
    assert store.tasks.genuine(spec.id, "02")


def test_run_of_a_lost_host_waits_for_its_lease_and_leaves_its_worker_free(store: Store) -> None:
    spec = wanted(store, None)
    silent_host(store, SETTINGS.lease_ttl + 5)
    granted = store.tasks.acquire(spec.id, worker="01", host="away", ttl=60, session="s")
    assert isinstance(granted, Grant)
    assert swept(store) == ()
    store.tasks.renew(spec.id, granted.fence, 0.0)

    first, second = swept(store), swept(store)

    assert (first, second) == ((), (spec.id,))
    worker = store.fleet.worker("01")
    assert worker
    assert worker.task is None
    assert isinstance(taken(store, spec, "02", "here"), Grant)
    assert not store.tasks.renew(spec.id, granted.fence, 60)


@pytest.mark.parametrize(
    ("settings", "silent"),
    [(SETTINGS, SETTINGS.lease_ttl - 5), (replace(SETTINGS, lost_host="wait"), 10_000.0)],
)
def test_work_waits_for_a_host_that_may_still_run_it(
    store: Store, settings: Settings, silent: float
) -> None:
    wanted(store, "01")
    silent_host(store, silent)

    assert swept(store, settings) == ()


def test_record_that_nobody_signed_is_not_signed_by_the_sweep(store: Store) -> None:
    spec = created(store, wanted_worker="01", prompt_sha256=prompt_sha256("another prompt"))
    silent_host(store, 10_000.0)

    assert swept(store) == ()
    task = store.tasks.get(spec.id)
    assert task
    assert task.line == "01"


def test_host_that_was_stopped_on_purpose_is_not_lost(store: Store) -> None:
    wanted(store, "01")
    silent_host(store, 10_000.0)
    store.fleet.leave("away")

    assert swept(store) == ()


def test_newer_record_is_left_alone(store: Store, cw: Cw, redis_url: str) -> None:
    spec = created(store)
    silent_host(store, 0)
    client = store.connection.client
    client.hset(f"cw:task:{spec.id}", "protocol", PROTOCOL + 1)
    client.hset("cw:host:away", mapping={"protocol": PROTOCOL + 1, "version": "9.0", "news": "x"})

    refused = taken(store, spec, "02", "here")
    hinted = hint_next(store, lambda _spec, _line: None, "02")
    said = cw("status", CW_BROKER_URL=redis_url)

    assert refused == Refusal("made by a newer cw; this host needs: cw update")
    assert hinted is None
    assert swept(store) == ()
    assert "1 task was made by a newer cw" in said.stderr + said.stdout
    kinds = f"({PROTOCOL + 1}, here {PROTOCOL})"
    assert f"host away: its cw (9.0) makes records of another kind {kinds}" in (
        said.stderr + said.stdout
    )


def test_host_of_another_version_that_does_not_answer_is_named_as_such() -> None:
    other = what_to_do(Host(name="away", version="9.0"))

    assert other == f"It has cw 9.0, here is {__version__}; the older one needs: cw update"
    assert what_to_do(Host(name="away", version=__version__)) == "cw doctor, on that machine"


def test_second_machine_with_a_name_is_told_apart_and_said_to_be_there(
    store: Store, cw: Cw, redis_url: str
) -> None:
    silent_host(store, 0)

    first = store.fleet.beat(Host(name="here", machine="one", pid=1), store.tasks.now())
    second = store.fleet.beat(Host(name="here", machine="two", pid=2), store.tasks.now())

    assert (first, second) == (True, False)
    assert {one.name: one.pid for one in store.fleet.hosts()} == {"away": 0, "here": 1}
    said = cw("hosts", CW_BROKER_URL=redis_url)
    assert "warning: host here: another machine has this name as well and takes nothing" in (
        said.stderr
    )


def test_name_of_a_silent_machine_is_free(store: Store) -> None:
    store.fleet.beat(Host(name="here", machine="one"), store.tasks.now() - timedelta(seconds=60))

    assert store.fleet.beat(Host(name="here", machine="two"), store.tasks.now())
    assert [one.machine for one in store.fleet.hosts()] == ["two"]


def test_host_whose_name_is_taken_takes_nothing_until_it_is_free(git_repo: Path) -> None:
    with machine(git_repo) as here:
        client = redis.Redis.from_url(here.url, decode_responses=True)
        here.start()
        client.hset("cw:host:here", mapping={"machine": "other", "seen_at": 1 << 52})
        turns: set[Any] = {None}

        def turned() -> bool:
            turns.add(client.hget("cw:host:here", "rival_at"))
            return len(turns) > 2  # so the turn that found out is over

        wait_until(turned, 30, here.log)
        spec = here.dispatch("rehearse: pace 0.01\n")
        log = here.folder / "host.log"
        wait_until(lambda: f"cw.run[{spec.id}] succeeded" in log.read_text("utf-8"), 30, here.log)
        before = here.task(spec)
        here.store().tasks.mark_unhinted(spec.id)  # dispatch's own mark may have come after it

        client.hset("cw:host:here", mapping={"seen_at": ""})
        done = here.reaches(spec, State.DONE)

        assert "another machine that is up has the name here" in log.read_text("utf-8")
        assert (before.state, before.attempt) == (State.QUEUED, 0)
        assert done.attempt == 1


def test_machine_joins_and_leaves(
    store: Store, cw: Cw, cw_environ: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    config = Path(cw_environ["CW_CONFIG"])
    mine = '# mine\n[agent]\nmodel = "opus"\n'
    config.write_text(mine)
    config.chmod(0o600)
    store.fleet.beat(Host(name="taken", machine="other"), store.tasks.now())

    wrong = cw("host", "join", "redis://127.0.0.1:1/0")
    twice = cw("host", "join", redis_url, "--name", "taken")
    odd = cw("host", "join", redis_url, "--tags", "No Tag!")
    short = cw("host", "join", redis_url, "--name", "new", "--key", "-", stdin="short\n")
    assert [one.returncode for one in (wrong, twice, odd, short)] == [4, 2, 2, 2]
    assert config.read_text() == mine
    done = cw(
        "host", "join", redis_url, "--name", "new", "--tags", "gpu,big", "--key", "-", "--json",
        stdin=f"{KEY}\n",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hosts"] == ["taken"]
    text = config.read_text()
    assert f'[broker]\nurl = "{redis_url}"\n' in text
    assert '[host]\nname = "new"\ntags = ["gpu", "big"]\n' in text
    assert text.startswith(mine)
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    key = Path(cw_environ["CW_STATE_DIR"]) / "fleet.key"
    assert (key.read_text(), stat.S_IMODE(key.stat().st_mode)) == (f"{KEY}\n", 0o600)
    assert KEY not in done.stdout + done.stderr
    store.fleet.beat(Host(name="here"), store.tasks.now() - timedelta(hours=1))
    left = cw("host", "leave")
    assert left.returncode == 0, left.stderr
    assert config.read_text() == mine


def test_tag_chooses_a_worker_of_a_machine_that_has_it(
    store: Store, cw: Cw, redis_url: str, git_repo: Path
) -> None:
    silent_host(store, 0)
    store.fleet.beat(Host(name="here", tags="gpu big"), store.tasks.now())
    words = ("dispatch", "-r", str(git_repo), "-p", "Go", "-t")

    done = cw(*words, "gpu", "--json", CW_BROKER_URL=redis_url)
    none = cw(*words, "tpu", CW_BROKER_URL=redis_url)
    both = cw(*words, "gpu", "-w", "01", CW_BROKER_URL=redis_url)

    assert json.loads(done.stdout)["worker"] == "02"
    assert (none.returncode, both.returncode) == (2, 2)
    assert "no worker lives on a host with the tag tpu. Tags of the fleet: big, gpu" in none.stderr
