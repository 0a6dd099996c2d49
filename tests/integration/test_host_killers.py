"""Runs that hosts die of: found out, parked, and the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cw.homes.files import read_json
from cw.homes.running import shim_lives
from cw.states import OutcomeKind, State
from tests.integration.hosting import Machine, machine
from tests.integration.test_adoption import HANG, under_way
from tests.waiting import wait_until

PATIENT = "rehearse: pace 0.05\nrehearse: slow 12\n"


def keeper(here: Machine, worker: str = "01") -> dict[str, Any]:
    return read_json(here.home(worker).keeper) or {}


def dies_with_its_runs(here: Machine, deaths: int, *, alone: bool = False) -> None:
    """A host takes up what is there and is killed. `deaths`, `alone`: as the run of 01 knows it."""
    host = here.start_unwell()
    wanted = (deaths, alone)
    wait_until(lambda: (keeper(here).get("deaths"), keeper(here).get("alone")) == wanted, 30)
    host.kill()
    host.wait()


def test_run_that_hosts_die_of_is_parked_and_the_rest_goes_on(git_repo: Path) -> None:
    with machine(git_repo, CW_AGENT_ENV="") as here:
        here.add_worker("02")
        first = here.start()
        spec, other = here.dispatch(HANG), here.dispatch(PATIENT, wanted_worker="02")
        under_way(here, spec)
        under_way(here, other)
        first.kill()
        first.wait()
        dies_with_its_runs(here, 1)
        dies_with_its_runs(here, 2, alone=True)

        here.start()
        task = here.reaches(spec, State.CRASHED)
        done = here.reaches(other, State.DONE)

        assert task.outcome
        assert (task.outcome.kind, task.outcome.reason) == (OutcomeKind.FAILED, "host_killed")
        assert not shim_lives(here.home())
        assert done.outcome
        assert (done.outcome.kind, done.attempt) == (OutcomeKind.SUCCEEDED, 1)


def test_run_that_was_alone_with_a_host_that_lived_on_is_trusted(git_repo: Path) -> None:
    with machine(git_repo) as here:
        first = here.start()
        spec = here.dispatch(PATIENT)
        under_way(here, spec)
        first.kill()
        first.wait()
        dies_with_its_runs(here, 1)
        host = here.start_unwell()
        wait_until(lambda: keeper(here) and keeper(here)["alone"], 30, here.log)
        wait_until(lambda: not keeper(here)["alone"], 30, here.log)
        host.kill()
        host.wait()

        here.start()
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert (task.outcome.kind, task.attempt) == (OutcomeKind.SUCCEEDED, 1)


def test_host_that_leaves_in_good_order_has_not_died(git_repo: Path) -> None:
    with machine(git_repo) as here:
        spec = None
        for _ in range(4):
            host = here.start()
            if spec is None:
                spec = here.dispatch(HANG)
                under_way(here, spec)
            host.terminate()
            host.wait()
        assert spec

        assert json.loads(here.home().keeper.read_bytes())["deaths"] == 0
