"""Hosts, shims and brokers die or freeze in the middle of a run; the run does not suffer twice."""

from __future__ import annotations

import os
import signal
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cw.claude.events import parse_line
from cw.homes import journal
from cw.homes.running import shim_lives
from cw.models import TaskSpec
from cw.states import OutcomeKind, State
from cw.store.lease_values import Grant
from tests.integration.cloning import run
from tests.integration.hosting import Machine, machine
from tests.making import make_journal
from tests.waiting import wait_until

SLOW = "rehearse: pace 0.05\nrehearse: slow 3\n"
HANG = "rehearse: pace 0.05\nrehearse: hang\n"


def under_way(here: Machine, spec: TaskSpec) -> None:
    """The agent runs, and some of what it said is in the stream."""
    wait_until(lambda: len(here.events(spec)) > 1, 60, here.log)
    assert here.task(spec).state is State.RUNNING


def assert_told_once(here: Machine, spec: TaskSpec) -> None:
    """Every event of the log is in the stream, once and in order."""
    _, log = here.archive()
    lines = [event for line in log.split(b"\n") for event in parse_line(line, 0, datetime.now(UTC))]
    told = [(one.kind, one.text) for one in here.events(spec)]
    assert told == [(one.kind, one.text) for one in lines]


def test_task_that_a_host_had_just_taken_when_it_was_killed_is_run_by_the_next(
    git_repo: Path,
) -> None:
    """Its lease of ten minutes is not waited for, and nothing is charged."""
    with machine(git_repo) as here:
        spec = here.record(SLOW)
        granted = here.store().tasks.acquire(
            spec.id, worker="01", host="here", ttl=600, session=str(uuid.uuid4())
        )
        assert isinstance(granted, Grant)

        here.start()
        wait_until(lambda: here.task(spec).state is not State.RUNNING, 60, here.log)
        here.sweep()
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED
        assert (task.losses, len(here.agents())) == (0, 1)


def test_run_of_a_killed_host_is_adopted_by_the_next(git_repo: Path) -> None:
    with machine(git_repo) as here:
        first = here.start()
        spec = here.dispatch(SLOW)
        under_way(here, spec)

        first.kill()
        first.wait()
        before = here.task(spec)
        here.start()
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert task.outcome.head == run(git_repo, "rev-parse", spec.branch)
        assert (task.attempt, task.losses, len(here.agents())) == (1, 0, 1)
        assert before.session == task.session
        assert_told_once(here, spec)


def test_host_that_died_before_there_was_an_agent_costs_the_task_nothing(git_repo: Path) -> None:
    with machine(git_repo, CW_LEASE_TTL="60", CW_LEASE_RENEW="1", CW_LEASE_MARGIN="30") as here:
        spec = here.dispatch("rehearse: pace 0.05\n")
        granted = here.store().tasks.acquire(
            spec.id, worker="01", host="here", ttl=60, session=str(uuid.uuid4())
        )
        assert isinstance(granted, Grant)
        book = make_journal(phase="preparing", task=spec)
        run_ = book.run.model_copy(update={"fence": granted.fence, "session": granted.session})
        journal.write(here.home(), book.model_copy(update={"run": run_}))

        here.start()
        wait_until(lambda: here.task(spec).state is State.HELD, 40, here.log)
        here.sweep()
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert (len(here.agents()), task.losses, task.deferrals) == (1, 0, 1)


def test_stopped_host_leaves_at_once_and_its_run_goes_on(git_repo: Path) -> None:
    with machine(git_repo) as here:
        first = here.start()
        spec = here.dispatch(SLOW)
        under_way(here, spec)

        first.terminate()
        assert first.wait(15) == 0

        assert shim_lives(here.home())
        wait_until(lambda: here.agents("end"), 30, "the end of the agent without a host")
        assert here.task(spec).state is State.RUNNING
        here.start()
        task = here.reaches(spec, State.DONE)
        assert (task.attempt, len(here.agents())) == (1, 1)
        assert_told_once(here, spec)


def test_killed_shim_is_resumed_once_in_its_session_and_then_crashed(git_repo: Path) -> None:
    with machine(git_repo) as here:
        here.start()
        spec = here.dispatch(HANG)
        under_way(here, spec)

        os.kill(here.shim_pid(), signal.SIGKILL)
        wait_until(lambda: len(here.agents()) == 2, 60, here.log)
        wait_until(lambda: shim_lives(here.home()), what="the second shim")
        assert here.task(spec).losses == 1
        os.kill(here.shim_pid(), signal.SIGKILL)
        task = here.reaches(spec, State.CRASHED)

        first, second = here.agents()
        assert first["session"] == second["session"] == task.session
        assert (first["resumed"], second["resumed"]) == (False, True)
        assert task.attempt == 2
        here.sweep()
        assert here.task(spec).state is State.CRASHED


def test_run_stops_itself_when_the_broker_is_frozen_for_longer_than_its_lease(
    git_repo: Path,
) -> None:
    lease = {"CW_LEASE_TTL": "4", "CW_LEASE_RENEW": "0.5", "CW_LEASE_MARGIN": "2"}
    with machine(git_repo, **lease) as here:
        here.start()
        spec = here.dispatch("rehearse: pace 0.05\nrehearse: probe draft.txt\nrehearse: hang\n")
        under_way(here, spec)
        clone = here.home().clones / spec.repo_folder
        wait_until((clone / "draft.txt").exists, what="work to lose")

        here.broker.send_signal(signal.SIGSTOP)
        over = datetime.now(UTC) + timedelta(seconds=here.settings().lease_ttl)
        wait_until(lambda: here.agents("end"), 40, "the run to end by itself")
        assert datetime.now(UTC) < over, "a second run could have begun before"
        wait_until(lambda: datetime.now(UTC) > over, what="the end of the lease")
        here.broker.send_signal(signal.SIGCONT)
        wait_until(lambda: list(here.home().completed.glob("*.json")), 40, "its archive")

        archived, _ = here.archive()
        assert archived["outcome"]["reason"] == "lease_lost"
        kept = f"refs/cw/wip/{spec.id.lower()}"
        assert run(clone, "show", f"{kept}:draft.txt") == "rehearsal"
        task = here.task(spec)
        assert (task.outcome, task.fence) == (None, archived["run"]["fence"])
        assert task.state in {State.RUNNING, State.QUEUED}
        wait_until(lambda: here.sweep().expired or here.task(spec).losses, what="the sweep")
        wait_until(lambda: len(here.agents()) == 2, 60, here.log)
        assert here.task(spec).fence > archived["run"]["fence"]


def test_journal_of_a_task_that_moved_on_stops_its_run_and_is_archived(git_repo: Path) -> None:
    with machine(git_repo) as here:
        first = here.start()
        spec = here.dispatch(HANG)
        under_way(here, spec)
        first.kill()
        first.wait()
        store = here.store()
        store.connection.client.hset(f"cw:task:{spec.id}", "fence", 4711)  # a later run has it

        here.start()

        wait_until(lambda: list(here.home().completed.glob("*.json")), 40, here.log)
        assert not shim_lives(here.home())
        assert here.agents("end")


def test_idle_host_of_fifty_workers_stays_small(git_repo: Path) -> None:
    with machine(git_repo) as here:
        for number in range(2, 51):
            here.add_worker(f"{number:02}")
        host = here.start()
        wait_until(lambda: len(here.store().fleet.workers()) == 50, what="all workers")
        wait_until(lambda: here.store().fleet.hosts()[0].workers == 50, what="the beat")

        rollup = Path(f"/proc/{host.pid}/smaps_rollup").read_text("utf-8")

        kib = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
        assert kib["Pss"] < 80 * 1024
        assert kib["Rss"] < 80 * 1024
