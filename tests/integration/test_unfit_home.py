"""A worker that cannot start anything does not take the pool's tasks along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cw.fleet_models import Worker
from cw.homes.layout import Home
from cw.states import State
from tests.integration.hosting import Machine, machine
from tests.waiting import wait_until

READS = "rehearse: pace 0.05\nrehearse: no-change\n"


def _link(home: Home) -> None:
    home.clones.rmdir()
    home.clones.symlink_to("/")


def _inner_link(home: Home) -> None:
    (home.clones / "git").symlink_to("/")


def _other_tmp(home: Home) -> None:
    home.tmp.rmdir()
    home.tmp.symlink_to("/")


UNFIT: dict[str, tuple[Callable[[Home], None], Callable[[Home], None], str]] = {
    "clones lead out": (_link, lambda home: home.clones.unlink(), "leads out"),
    "one of them does": (_inner_link, lambda home: (home.clones / "git").unlink(), "leads out"),
    "tmp leads out": (_other_tmp, lambda home: home.tmp.unlink(), "leads out"),
}


def worker(here: Machine, name: str) -> Worker:
    found = here.store().fleet.worker(name)
    assert found
    return found


@pytest.mark.parametrize("name", UNFIT)
def test_unfit_home_pauses_its_worker_and_others_do_the_work(git_repo: Path, name: str) -> None:
    spoil, mend, words = UNFIT[name]
    with machine(git_repo) as here:
        spoil(here.home())
        here.start()
        specs = [here.dispatch(READS, wanted_worker=None, mode="free") for _ in range(2)]
        wait_until(lambda: here.sweep() and worker(here, "01").paused, 90, here.log)

        assert words in worker(here, "01").paused
        back = {(State.QUEUED, None)}  # in the pool, once its run is recorded
        wait_until(lambda: {(here.task(one).state, here.task(one).line) for one in specs} == back)
        assert {here.task(one).losses for one in specs} == {0}
        here.add_worker("02")
        wait_until(
            lambda: here.sweep() and all(here.task(one).state is State.DONE for one in specs),
            120,
            here.log,
        )

        assert {here.task(one).worker for one in specs} == {"02"}
        mend(here.home())
