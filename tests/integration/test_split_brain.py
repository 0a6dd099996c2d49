"""Two holders who each believe that a run is theirs: one agent at a time, one end, all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from cw.homes.layout import LOCK
from cw.models import Outcome, TaskSpec
from cw.states import Move, OutcomeKind, State
from cw.store.lease_values import Holder, Settlement
from tests.integration.hosting import Machine, machine
from tests.waiting import wait_until
from workerhost.agents.leftovers import OURS

LEASE = {"CW_LEASE_TTL": "4", "CW_LEASE_RENEW": "0.5", "CW_LEASE_MARGIN": "2"}
PACE = "rehearse: pace 0.05\n"


def under_way(here: Machine, spec: TaskSpec, runs: int = 1) -> None:
    wait_until(lambda: len(here.agents()) == runs, 60, here.log)
    wait_until(here.home().shim.exists, 60, here.log)
    assert here.task(spec).state is State.RUNNING


def freeze(here: Machine, spec: TaskSpec, host: subprocess.Popen[bytes]) -> None:
    """The host hears and says nothing until its lease has ended and the task is queued again."""
    host.send_signal(signal.SIGSTOP)
    wait_until(lambda: here.sweep().expired or here.task(spec).losses, 30, "the lease's end")
    assert here.task(spec).state is State.QUEUED


def lives(here: Machine) -> list[tuple[float, float]]:
    """From start to last sign of life of each agent, in order."""
    found = []
    for start in here.agents():
        signs = [start, *here.agents("beat"), *here.agents("end")]
        own = [one["at"] for one in signs if one["fence"] == start["fence"]]
        found.append((min(own), max(own)))
    return found


def without_lock(here: Machine) -> None:
    """As on a file system that keeps no locks: the next host finds the HOMEs free."""
    (here.folder / "workers" / LOCK).unlink()


def completed(here: Machine) -> int:
    return sum(one["rc"] == 0 for one in here.agents("end"))


def one_at_a_time(here: Machine) -> bool:
    spans = lives(here)
    return all(before[1] <= after[0] for before, after in pairwise(spans))


def test_result_of_a_host_that_was_frozen_counts_when_nobody_has_taken_the_task(
    git_repo: Path,
) -> None:
    with machine(git_repo, **LEASE) as here:
        host = here.start()
        spec = here.dispatch(PACE + "rehearse: slow 2\n")
        under_way(here, spec)
        freeze(here, spec, host)
        wait_until(lambda: here.agents("end"), 40, "the agent's end")

        host.send_signal(signal.SIGCONT)
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert (len(here.agents()), completed(here)) == (1, 1)


def test_run_that_outlived_its_lease_under_a_frozen_host_ends_before_the_next_begins(
    git_repo: Path,
) -> None:
    with machine(git_repo, **LEASE) as here:
        host = here.start()
        spec = here.dispatch(PACE + "rehearse: slow 60 once\n")
        under_way(here, spec)
        freeze(here, spec, host)

        host.send_signal(signal.SIGCONT)
        wait_until(lambda: len(here.agents("end")) == 1, 40, here.log)
        here.sweep()
        here.reaches(spec, State.DONE)

        first, second = here.agents()
        assert first["session"] == second["session"]
        assert first["fence"] < second["fence"]
        assert one_at_a_time(here)
        assert completed(here) == 1


def test_second_host_on_the_same_homes_is_refused_whatever_its_state_folder(
    git_repo: Path,
) -> None:
    with machine(git_repo) as here:
        here.start()
        env = here.env() | {"CW_STATE_DIR": str(here.folder / "elsewhere")}

        second = subprocess.run(
            [sys.executable, "-m", "workerhost"],
            env=env,
            cwd=here.folder,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )

        assert second.returncode == 2
        assert "a host already runs for" in second.stderr
        assert "Traceback" not in second.stderr


def test_agent_that_is_done_while_its_proof_is_away_is_not_run_again_after_a_lost_lease(
    git_repo: Path,
) -> None:
    with machine(git_repo, **LEASE, CW_DEFER_SECONDS="2") as here:
        host = here.start()
        spec = here.dispatch(PACE + "rehearse: slow 1\n")
        under_way(here, spec)
        away = git_repo.rename(git_repo.with_name("away"))
        wait_until(lambda: here.agents("end"), 40, "the agent's end")
        freeze(here, spec, host)

        host.send_signal(signal.SIGCONT)
        wait_until(lambda: here.task(spec).state is State.RUNNING, 40, here.log)
        away.rename(git_repo)
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert (len(here.agents()), task.deferrals) == (1, 0)


def test_host_that_wakes_up_beside_its_successor_leaves_the_run_alone(git_repo: Path) -> None:
    with machine(git_repo, **LEASE) as here:
        first = here.start()
        spec = here.dispatch(PACE + "rehearse: slow 8\n")
        under_way(here, spec)
        first.send_signal(signal.SIGSTOP)
        without_lock(here)
        here.start()
        wait_until(lambda: here.task(spec).fence > here.agents()[0]["fence"], 40, here.log)

        first.send_signal(signal.SIGCONT)
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert (len(here.agents()), completed(here)) == (1, 1)


def test_host_that_wakes_up_beside_a_later_run_does_not_end_it(git_repo: Path) -> None:
    with machine(git_repo, **LEASE) as here:
        first = here.start()
        spec = here.dispatch(PACE + "rehearse: slow 8\n")
        under_way(here, spec)
        first.send_signal(signal.SIGSTOP)
        os.kill(here.shim_pid(), signal.SIGKILL)
        without_lock(here)
        here.start()
        wait_until(lambda: here.sweep() and len(here.agents()) == 2, 60, here.log)

        first.send_signal(signal.SIGCONT)
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert (len(here.agents()), completed(here)) == (2, 1)
        assert one_at_a_time(here)


def test_agent_that_outlived_its_shim_is_ended_before_the_next_run(git_repo: Path) -> None:
    with machine(git_repo) as here:
        here.start()
        spec = here.dispatch(PACE + "rehearse: slow 2\n")
        under_way(here, spec)
        # As a wall that was starting up when its shim was killed, and never heard of it.
        mark = {"CLAUDE_CODE_TMPDIR": str(here.home().tmp)}
        with (
            subprocess.Popen(["sleep", "300"], env=mark, start_new_session=True) as leftover,
            subprocess.Popen(["sleep", "300"], env=mark | OURS) as of_a_person,  # cw diff's git
        ):
            os.kill(here.shim_pid(), signal.SIGKILL)
            leftover.wait(40)
            task = here.reaches(spec, State.DONE)
            spared = of_a_person.poll() is None
            of_a_person.kill()

        assert leftover.returncode == -signal.SIGKILL
        assert spared
        assert task.attempt == 2
        assert one_at_a_time(here)


def test_what_a_dead_host_had_begun_itself_is_ended_by_the_next(git_repo: Path) -> None:
    with machine(git_repo) as here:
        # As the way to the network beside a git whose host was killed at that moment.
        mine = OURS | {"HOME": str(here.home().path)}
        elsewhere = OURS | {"HOME": str(here.home("02").path)}
        with (
            subprocess.Popen(["sleep", "300"], env=mine) as orphan,
            subprocess.Popen(["sleep", "300"], env=elsewhere) as of_another,
        ):
            here.start()
            orphan.wait(40)
            spared = of_another.poll() is None
            of_another.kill()

        assert orphan.returncode == -signal.SIGKILL
        assert spared


def test_late_word_of_an_earlier_run_is_not_heard(git_repo: Path) -> None:
    with machine(git_repo) as here:
        here.start()
        spec = here.dispatch(PACE + "rehearse: slow 4\n")
        under_way(here, spec)
        os.kill(here.shim_pid(), signal.SIGKILL)
        under_way(here, spec, runs=2)
        old = int(here.agents()[0]["fence"])
        tasks = here.store().tasks
        lie = Outcome(kind=OutcomeKind.FAILED, reason="killed", message="too late")

        assert not tasks.renew(spec.id, old, 600)
        assert not tasks.settle(
            Holder(spec.id, "01", old),
            Settlement(Move.FINISH, lie),
        )
        before = datetime.now(UTC)
        task = here.reaches(spec, State.DONE)

        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED, task.outcome
        assert task.ended_at
        assert task.ended_at >= before
