"""An agent that goes round in circles: stopped by its host, not by one that looks away, and judged
anew when it goes on.
"""

from __future__ import annotations

from pathlib import Path

from cw.models import TaskSpec
from cw.states import OutcomeKind, State
from tests.integration.hosting import Machine, machine
from tests.integration.test_limits import outcome, reopen
from tests.waiting import wait_until

QUICK = "rehearse: pace 0.01\n"
CIRCLE = f"{QUICK}rehearse: loop echo it is not there; exit 7\n"
AGAIN = 12  # calls: many more than the limit
LIMIT = {"CW_RUN_LOOP_CALLS": "3"}


def calls(here: Machine, spec: TaskSpec) -> int:
    return sum(1 for event in here.events(spec) if event.kind == "tool")


def test_agent_that_was_stopped_goes_on_in_its_session_and_is_judged_anew(git_repo: Path) -> None:
    with machine(git_repo, **LIMIT, CW_RUN_TIME_LIMIT="30") as here:
        here.start()
        spec = here.dispatch(CIRCLE)
        first = here.reaches(spec, State.DONE)
        assert outcome(first) == (OutcomeKind.FAILED, "looping"), first.outcome
        told = [event.text for event in here.events(spec) if event.kind == "note"]
        reopen(here, spec)
        second = here.reaches(spec, State.DONE)

    assert first.outcome
    assert "times with the same answer" in first.outcome.message
    assert "Bash: echo it is not there; exit 7" in first.outcome.message
    assert "cw restart" in first.outcome.message
    assert any("went round in circles" in text for text in told)
    assert second.session == first.session
    assert outcome(second) == (OutcomeKind.FAILED, "looping")  # it did the same again
    assert second.outcome
    assert second.outcome.turns > int(LIMIT["CW_RUN_LOOP_CALLS"])


def test_host_that_finds_the_run_later_finds_the_circle_too(git_repo: Path) -> None:
    with machine(git_repo, CW_RUN_LOOP_CALLS="0") as here:
        host = here.start()
        spec = here.dispatch(CIRCLE)
        wait_until(lambda: calls(here, spec) > AGAIN, 60, here.log)
        host.terminate()
        assert host.wait(20) == 0
        assert here.task(spec).state is State.RUNNING
        here.more |= LIMIT
        here.start()
        task = here.reaches(spec, State.DONE)

        assert outcome(task) == (OutcomeKind.FAILED, "looping"), task.outcome
        assert task.attempt == 1
        assert len(here.agents()) == 1


def test_agent_that_waits_again_and_again_is_stopped_by_nobody_but_a_person(
    git_repo: Path,
) -> None:
    with machine(git_repo, **LIMIT) as here:
        here.start()
        spec = here.dispatch(f"{QUICK}rehearse: loop sleep 0.01; echo pending; exit 8\n")
        wait_until(lambda: calls(here, spec) > AGAIN, 60, here.log)
        assert here.task(spec).state is State.RUNNING

        here.store().tasks.want_stop(here.task(spec), "ann")
        task = here.reaches(spec, State.STOPPED)

        assert outcome(task) == (OutcomeKind.STOPPED, "stopped")
