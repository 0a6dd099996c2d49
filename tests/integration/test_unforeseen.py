"""What nobody foresaw harms its own task: it is counted, shown with its place, and ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cw.errors import BrokerUnavailableError
from cw.fleet_models import Trouble
from cw.homes.layout import Home
from cw.processid import start_time
from cw.states import State
from tests.integration.hosting import Machine, machine
from tests.waiting import wait_until
from workerhost.unexpected_errors import Troubles

FAST = "rehearse: pace 0.05\nrehearse: no-change\n"
HANG = "rehearse: pace 0.05\nrehearse: hang\n"
QUICK = {"CW_LEASE_TTL": "6", "CW_LEASE_RENEW": "1", "CW_LEASE_MARGIN": "2"}


def troubles(here: Machine) -> list[Trouble]:
    return [one for host in here.store().fleet.hosts() for one in host.trouble_list()]


def second_worker(here: Machine) -> None:
    """Does what it is given, whatever became of the first one's."""
    spec = here.dispatch(FAST, wanted_worker="02")
    here.reaches(spec, State.DONE, 120)  # its walls are proven first, at most once a minute


def test_exit_record_that_cannot_be_read_is_a_lost_run_and_no_more(git_repo: Path) -> None:
    with machine(git_repo, **QUICK) as here:
        here.add_worker("02")
        host = here.start()
        spec = here.dispatch(HANG, mode="read")
        wait_until(lambda: len(here.events(spec)) > 1, 60, here.log)

        here.home().exit.write_bytes(b"{}")
        os.kill(here.shim_pid(), signal.SIGKILL)

        wait_until(lambda: here.task(spec).attempt == 2, 60, here.log)
        assert (here.task(spec).losses, host.poll()) == (1, None)
        second_worker(here)
        assert "Traceback" not in (here.folder / "host.log").read_text("utf-8")


def test_run_that_a_host_stumbles_over_each_time_ends_for_a_person_to_see(git_repo: Path) -> None:
    with machine(git_repo, **QUICK) as here:
        here.add_worker("02")
        first = here.start()
        spec = here.dispatch(HANG, mode="read")
        wait_until(lambda: len(here.events(spec)) > 1, 60, here.log)
        shim = here.shim_pid()

        first.kill()
        first.wait()
        second = here.start(module="tests.standins.stumbling_host")
        wait_until(lambda: here.task(spec).state is State.CRASHED, 60, here.log)

        outcome = here.task(spec).outcome
        assert outcome is not None
        assert (outcome.reason, "ZeroDivisionError at" in outcome.message) == ("host_error", True)
        assert start_time(shim) == ""
        assert [(one.error, one.about, one.times) for one in troubles(here)] == [
            ("ZeroDivisionError", "01", 5)
        ]
        second_worker(here)
        assert second.poll() is None


def in_the_way(path: Path) -> None:
    path.rmdir() if path.is_dir() else None
    path.write_text("in the way", "utf-8")


DISKS: dict[str, Callable[[Home], None]] = {
    "a file where archives belong": lambda home: in_the_way(home.completed),
    "a link that leads in circles": lambda home: _circle(home.completed),
}


def _circle(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    path.symlink_to(path)


@pytest.mark.parametrize("spoil", DISKS.values(), ids=DISKS.keys())
def test_archive_that_cannot_be_written_keeps_its_worker_only_and_goes_on_when_mended(
    git_repo: Path, spoil: Callable[[Home], None]
) -> None:
    with machine(git_repo, **QUICK) as here:
        here.add_worker("02")
        here.start()
        spec = here.dispatch(f"rehearse: slow 2\n{FAST}", mode="read")
        wait_until(here.home().log.exists, 60, here.log)
        spoil(here.home())
        here.reaches(spec, State.DONE)
        second_worker(here)
        wait_until(lambda: troubles(here), 20, here.log)

        here.home().completed.unlink()
        wait_until(lambda: not here.home().journal.exists(), 40, here.log)
        again = here.dispatch(FAST, mode="read")

        here.reaches(again, State.DONE)
        assert {one.error for one in troubles(here)} <= {"FileExistsError", "OSError"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fail() -> None:
    raise ZeroDivisionError


def test_step_that_fails_is_left_alone_for_longer_each_time() -> None:
    clock = Clock()
    seen = Troubles(clock, clock)
    runs = []

    def step() -> None:
        runs.append(clock.now)
        fail()

    for second in range(0, 400, 5):
        clock.now = second
        seen.run("step", step, "01")
        seen.run("step", lambda: None, "02")

    assert runs == [0, 5, 15, 35, 75, 155, 315]
    assert '"times": 7' in seen.told()
    assert "test_unforeseen.py" in seen.told()
    clock.now += 3601
    assert seen.told() == ""


def test_step_that_went_well_again_is_not_waited_for() -> None:
    clock = Clock()
    seen = Troubles(clock, clock)
    seen.run("step", fail)
    clock.now += 5
    seen.run("step", lambda: None)
    seen.run("step", fail)

    assert (seen.tries("step"), seen.waits("step")) == (1, True)
    clock.now += 5
    assert not seen.waits("step")


def test_broker_that_is_away_is_no_trouble_of_the_step() -> None:
    seen = Troubles()

    def away() -> None:
        raise BrokerUnavailableError("away")

    with pytest.raises(BrokerUnavailableError):
        seen.run("step", away)
    assert seen.told() == ""
