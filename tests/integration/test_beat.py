"""Several beats on one broker: one sends, and another takes over when it dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from cw.broker.app import beat_schedule
from cw.settings import Settings
from cw.store.store import Store
from tests.waiting import wait_until

EVERY = 1.0  # seconds between ticks
REPLACED_WITHIN = 30.0

Beat = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def beat(cw_environ: dict[str, str], redis_url: str, tmp_path: Path) -> Iterator[Beat]:
    """Starts a beat with a state_dir of its own, as another machine has."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> subprocess.Popen[bytes]:
        more = {
            "CW_BROKER_URL": redis_url,
            "CW_STATE_DIR": str(tmp_path / name),
            "CW_SWEEP_EVERY": str(EVERY),
            "CW_ASSIGN_EVERY": str(EVERY),
            "CW_ASSIGN_REPOS": "acme/app",
            "CW_RECONCILE_EVERY": "0",
        }
        with (tmp_path / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "cw.services.beat"],
                env=cw_environ | more,
                stdout=log,
                stderr=log,
            )
        started.append(child)
        ready = tmp_path / name / "beat" / "pid"
        wait_until(lambda: ready.exists() or child.poll() is not None, what=f"beat {name}")
        assert child.poll() is None, (tmp_path / f"{name}.log").read_text()
        return child

    yield start
    for one in started:
        one.kill()
        one.wait()


def ticks(store: Store) -> list[tuple[str, str]]:
    """Task and process of every message so far, oldest first."""
    rows = [json.loads(one) for one in store.connection.client.lrange("fleet", 0, -1)]
    heads = [one["headers"] for one in reversed(rows)]
    return [(one["task"], one["origin"].split("@")[0].removeprefix("gen")) for one in heads]


def expiries(store: Store, task: str) -> list[float]:
    """When each message of a kind loses its meaning, in seconds: its moment plus a constant."""
    rows = [json.loads(one) for one in store.connection.client.lrange("fleet", 0, -1)]
    heads = [one["headers"] for one in reversed(rows)]
    return [
        datetime.fromisoformat(one["expires"]).timestamp() for one in heads if one["task"] == task
    ]


def plant(store: Store) -> None:
    """As somebody does who can write at the broker: beat would sign it."""
    entry = {
        "name": "planted",
        "task": "cw.ask",
        "args": [{"id": "0" * 32, "verb": "remove", "worker": "01"}],
        "kwargs": {},
        "options": {"queue": "fleet", "expires": 2},
        "schedule": {"__type__": "interval", "every": 0.5, "relative": False},
        "enabled": True,
    }
    client = store.connection.client
    client.hset("cw:beat:planted", mapping={"definition": json.dumps(entry)})
    client.hset("cw:beat:planted", "meta", json.dumps({"last_run_at": None}))
    client.zadd("cw:beat::schedule", {"cw:beat:planted": 0})


def test_dead_beat_is_replaced_and_no_tick_is_doubled(
    beat: Beat, store: Store, tmp_path: Path
) -> None:
    first, second = beat("one"), beat("two")
    wait_until(lambda: len(ticks(store)) >= 6, what="the first ticks")
    plant(store)
    wait_until(lambda: not store.connection.client.exists("cw:beat:planted"), what="its removal")
    before = {origin for _, origin in ticks(store)}
    assert before == {str(first.pid)} or before == {str(second.pid)}
    assert store.locks.beat_ticks()
    active, standby = (first, second) if str(first.pid) in before else (second, first)

    os.kill(active.pid, signal.SIGKILL)
    died = time.monotonic()
    wait_until(
        lambda: {origin for _, origin in ticks(store)} == {str(first.pid), str(second.pid)},
        REPLACED_WITHIN,
        "the other beat's ticks",
    )
    took = time.monotonic() - died
    count = len(ticks(store))
    wait_until(lambda: len(ticks(store)) >= count + 4, what="more ticks")

    assert took < REPLACED_WITHIN
    assert {task for task, _ in ticks(store)} == {"cw.sweep", "cw.assign"}
    assert ticks(store)[-1][1] == str(standby.pid)
    for task in ("cw.sweep", "cw.assign"):
        moments = expiries(store, task)
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert min(gaps) > EVERY / 2, (task, gaps)


def test_beat_sends_what_is_configured() -> None:
    plain = beat_schedule(Settings())
    full = beat_schedule(Settings(assign_owner="acme", assign_every=60.0))
    none = Settings(assign_owner="acme", assign_every=0.0, reconcile_every=0.0, pulls_every=0.0)
    quiet = beat_schedule(none)

    assert sorted(plain) == ["pulls", "reconcile", "sweep"]
    assert full["assign"] == {
        "task": "cw.assign",
        "schedule": 60.0,
        "options": {"queue": "fleet", "expires": 60.0},
    }
    assert sorted(quiet) == ["sweep"]
