"""The wall clock of a machine is set by an hour; leases, runs and what waits do not notice."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cw.broker.address import private_url_file
from cw.broker.app import make_app, send_ask
from cw.models import TaskSpec
from cw.operations.fleet.ask import Ask, HostSilentError, ask_host
from cw.operations.fleet.hosts import host_warnings
from cw.states import OutcomeKind, State
from tests.integration.clocks import Clock
from tests.integration.hosting import Machine, machine
from tests.integration.test_split_brain import under_way
from tests.waiting import wait_until

HOUR = 3600
SET = pytest.mark.parametrize("seconds", [HOUR, -HOUR], ids=["forward", "back"])
LEASE = {"CW_LEASE_TTL": "4", "CW_LEASE_RENEW": "0.5", "CW_LEASE_MARGIN": "2"}
QUICK = "rehearse: pace 0.05\n"
UNTIL_TOLD = QUICK + "rehearse: do until [ -e ~/tmp/go ]; do sleep 0.1; done\n"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    found = Clock(tmp_path / "clock")
    found.folder.mkdir()
    found.set(0)
    found.build()
    return found


@contextmanager
def on(clock: Clock, repo: Path, **more: str) -> Iterator[Machine]:
    """A machine whose hosts go by this clock; the tests do not."""
    with machine(repo, LD_PRELOAD=clock.preload, **more) as here:
        seen = here.env()["CW_SANDBOX_READ"]
        here.more["CW_SANDBOX_READ"] = f"{seen}:{clock.folder}"  # agents go by it, too
        yield here


@contextmanager
def beat(here: Machine, *, private: bool = False) -> Iterator[None]:
    """`private`: as with the broker that `cw up` starts."""
    env = here.env() | {"CW_SWEEP_EVERY": "0.5", "CW_RECONCILE_EVERY": "0"}
    if private:
        del env["CW_BROKER_URL"]
        address = private_url_file(here.settings())
        address.parent.mkdir(parents=True)
        address.write_text(here.url, "utf-8")
    with (here.folder / "beat.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cw.services.beat"], env=env, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        child.kill()
        child.wait()


def clock_of(here: Machine) -> float:
    """Of its host against the broker's, in seconds, as the host says."""
    (host,) = here.store().fleet.hosts()
    return round(host.clock_ms / 1000)


def longer_than_a_lease(here: Machine) -> None:
    """Until each lease of now has been renewed or is over."""
    tasks = here.store().tasks
    end = tasks.now() + timedelta(seconds=here.settings().lease_ttl + 1)
    wait_until(lambda: tasks.now() > end, what=here.log)


def agents_clock_was_set(here: Machine, seconds: int) -> bool:
    """As the first agent saw it: the whole tree goes by the clock of the test."""
    took: float = here.agents("end")[0]["at"] - here.agents("start")[0]["at"]
    return abs(took - seconds) < 300


def history(here: Machine) -> list[tuple[str, str]]:
    """Starts and ends as the agents wrote them down, in order, each with its task."""
    lines = (here.home().tmp / "rehearsal.log").read_text("utf-8").splitlines()
    rows = [json.loads(one) for one in lines]
    return [(one["event"], one["id"]) for one in rows if one["event"] in {"start", "end"}]


def done_once(here: Machine, spec: TaskSpec) -> None:
    task = here.reaches(spec, State.DONE)
    assert task.outcome
    assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
    assert 0 <= task.outcome.duration_s < 300
    assert (task.attempt, task.losses, task.deferrals) == (1, 0, 0)


def go_on(here: Machine) -> None:
    (here.home().tmp / "go").touch()


@SET
def test_host_keeps_its_lease_and_runs_once_what_it_has_and_what_waits(
    clock: Clock, git_repo: Path, seconds: int
) -> None:
    """A host's clock is set: its run goes on for longer than a lease, and the next one begins."""
    with on(clock, git_repo, **LEASE) as here, beat(here):
        here.start()
        first = here.dispatch(UNTIL_TOLD)
        under_way(here, first)
        second = here.dispatch(QUICK)

        clock.set(seconds)
        wait_until(lambda: clock_of(here) == seconds, what=here.log)
        longer_than_a_lease(here)
        assert here.task(first).state is State.RUNNING, here.task(first)
        go_on(here)
        done_once(here, first)
        done_once(here, second)

        one, two = first.id, second.id
        assert history(here) == [("start", one), ("end", one), ("start", two), ("end", two)]
        assert agents_clock_was_set(here, seconds)


@SET
def test_broker_whose_clock_is_set_with_its_hosts_ends_no_lease(
    clock: Clock, git_repo: Path, seconds: int
) -> None:
    """The broker is on the same machine, and a beat has its leases looked at all the time."""
    lease = LEASE | {"CW_LEASE_RENEW": "1.5"}  # swept before it is renewed
    with on(clock, git_repo, broker_preload=clock.preload, **lease) as here, beat(here):
        here.start()
        first = here.dispatch(UNTIL_TOLD)
        under_way(here, first)
        second = here.dispatch(QUICK)
        before = here.store().tasks.now()

        clock.set(seconds)
        after = here.store().tasks.now()
        assert abs((after - before).total_seconds() - seconds) < 60
        longer_than_a_lease(here)
        assert here.task(first).state is State.RUNNING, here.task(first)
        go_on(here)
        done_once(here, first)
        done_once(here, second)

        one, two = first.id, second.id
        assert history(here) == [("start", one), ("end", one), ("start", two), ("end", two)]


@pytest.mark.parametrize("private", [False, True], ids=["shared", "private"])
@SET
def test_beat_goes_on_sending(clock: Clock, git_repo: Path, seconds: int, *, private: bool) -> None:
    """A beat whose clock is set sends its ticks as before."""
    with on(clock, git_repo) as here:
        ticks = here.store().connection.client
        with beat(here, private=private):
            wait_until(lambda: ticks.llen("fleet") > 2, 40, "the first ticks")

            clock.set(seconds)
            before = ticks.llen("fleet")
            log = (here.folder / "beat.log").read_text
            wait_until(lambda: ticks.llen("fleet") > before + 8, 20, log)
            assert "Traceback" not in log()


@SET
def test_host_whose_clock_is_wrong_from_its_start_takes_work_and_says_so(
    clock: Clock, git_repo: Path, seconds: int
) -> None:
    """What others have signed with the right clock is believed; who looks at the host is warned."""
    clock.set(seconds)
    with on(clock, git_repo, **LEASE) as here:
        here.start()
        spec = here.dispatch(QUICK)
        done_once(here, spec)

        warned = host_warnings(here.store().fleet.hosts(), here.store().tasks.now())
        way = "ahead of" if seconds > 0 else "behind"
        assert f"host here: its clock is 3600 s {way} the broker's" in warned


def test_question_to_a_host_whose_clock_is_behind_is_answered(clock: Clock, git_repo: Path) -> None:
    clock.set(-HOUR)
    with on(clock, git_repo) as here:
        here.start()

        assert "error" not in ask(here)


def test_question_to_a_host_whose_clock_is_ahead_fails_with_the_reason(
    clock: Clock, git_repo: Path
) -> None:
    """A question is old after a few seconds; that host takes it for an hour old."""
    clock.set(HOUR)
    with on(clock, git_repo) as here:
        here.start()

        with pytest.raises(HostSilentError) as caught:
            ask(here)
        assert "Its clock is 3600 s ahead of the one here" in (caught.value.hint or "")


def ask(here: Machine) -> dict[str, Any]:
    asked = Ask.model_validate({"id": uuid.uuid4().hex, "verb": "look", "worker": "01"})
    with make_app(here.settings()) as app:
        return ask_host(here.store(), lambda *what: send_ask(app, *what), "here", asked)


def test_time_limit_is_not_reached_by_a_clock_set_forward(clock: Clock, git_repo: Path) -> None:
    limits = {"CW_RUN_TIME_LIMIT": "600", "CW_RUN_SILENCE_LIMIT": "600"}
    with on(clock, git_repo, **limits) as here:
        here.start()
        spec = here.dispatch(UNTIL_TOLD)
        under_way(here, spec)

        clock.set(HOUR)
        beats = len(here.agents("beat"))
        wait_until(lambda: len(here.agents("beat")) > beats + 3, what=here.log)
        go_on(here)
        done_once(here, spec)


def test_time_limit_is_reached_though_the_clock_is_set_back(clock: Clock, git_repo: Path) -> None:
    with on(clock, git_repo, CW_RUN_TIME_LIMIT="6") as here:
        here.start()
        spec = here.dispatch(QUICK + "rehearse: hang\n")
        under_way(here, spec)

        clock.set(-HOUR)
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.reason == "time_limit"
        assert 6 <= task.outcome.duration_s < 60
