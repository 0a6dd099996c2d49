"""What a health check says of a service that works, and of one that does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cw.fleet_models import Host
from cw.store import keys
from cw.store.store import Store

Health = Callable[[str], tuple[int, str]]


@pytest.fixture
def health(cw_environ: dict[str, str], redis_url: str) -> Health:
    def ask(service: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "cw.services.health", service],
            env=cw_environ | {"CW_BROKER_URL": redis_url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return ask


def test_host_is_healthy_while_its_heartbeat_is_fresh_and_names_no_trouble(
    health: Health, store: Store
) -> None:
    now = store.tasks.now()
    assert health("host") == (1, "no heartbeat of here\n")
    store.fleet.beat(Host(name="here"), now)
    assert health("host") == (0, "healthy\n")
    store.fleet.beat(Host(name="here", unfit="the disk is full"), now)
    assert health("host") == (1, "the disk is full\n")
    store.fleet.beat(Host(name="here"), now - timedelta(minutes=10))

    status, said = health("host")

    assert status == 1
    assert said.startswith("the last heartbeat of here is 6")


def test_beat_is_healthy_while_it_lives_and_a_tick_is_fresh(
    health: Health, store: Store, cw_environ: dict[str, str]
) -> None:
    assert health("beat") == (1, "beat does not run\n")
    pid = Path(cw_environ["CW_STATE_DIR"]) / "beat" / "pid"
    pid.parent.mkdir(parents=True)
    pid.write_text(str(os.getpid()), "utf-8")
    assert health("beat") == (1, "no beat of the fleet ticks\n")
    with store.connection.errors() as client:
        client.set(keys.BEAT_LOCK, "a beat", px=60_000)

    assert health("beat") == (0, "healthy\n")


def test_flower_that_does_not_listen_is_unhealthy(health: Health) -> None:
    assert health("flower") == (1, "Flower does not listen\n")


def test_unknown_service_is_named(health: Health) -> None:
    status, said = health("oven")

    assert (status, said) == (1, "one of host, beat, flower is wanted\n")
