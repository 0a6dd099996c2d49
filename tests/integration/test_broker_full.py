"""A broker that has no memory left, and is set never to throw anything away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cw.errors import CwError
from cw.states import State
from tests.integration.hosting import Machine, machine
from tests.waiting import wait_until


def fill(here: Machine) -> Any:
    client = here.store().connection.client
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1mb")
    return client


def test_dispatch_into_a_full_broker_fails_loudly_and_leaves_nothing(git_repo: Path) -> None:
    with machine(git_repo) as here:
        client = fill(here)

        with pytest.raises(CwError, match="maxmemory"):
            here.dispatch("rehearse: pace 0.05\n")

        assert client.keys("cw:*") == []


def test_work_that_waits_survives_a_full_broker_and_runs_once(git_repo: Path) -> None:
    with machine(git_repo) as here:
        spec = here.dispatch("rehearse: pace 0.05\n", wanted_worker=None)
        client = fill(here)
        here.start_unwell()
        wait_until(lambda: "maxmemory" in here.log(), 60, here.log)
        client.config_set("maxmemory", "0")

        def done() -> bool:
            if here.hosts[-1].poll() is not None:  # who started it would start it again
                here.start_unwell()
            here.sweep()
            return here.task(spec).state is State.DONE

        wait_until(done, 60, here.log)

        assert len(here.agents()) == 1
