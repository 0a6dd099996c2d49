"""Whose conversation a run goes on in: only this task's own, as the worker's archives know it."""

from __future__ import annotations

import os
import signal
import uuid
from pathlib import Path

import pytest

from cw.models import TaskSpec
from cw.states import State
from cw.store import keys
from tests.integration.hosting import Machine, machine
from tests.waiting import wait_until

PACE = "rehearse: pace 0.05\nrehearse: no-change\n"


def finished(here: Machine, prompt: str) -> str:
    """Another task of the same worker in the same clone; its session."""
    session = here.reaches(here.dispatch(prompt), State.DONE).session
    assert session
    return session


def rewritten(here: Machine, prompt: str, **fields: str | int) -> TaskSpec:
    """A queued task whose unsigned fields a stranger at the broker has written."""
    spec = here.record(prompt)
    here.store().connection.client.hset(keys.task(spec.id), mapping=fields)
    here.hint(spec)
    return spec


@pytest.mark.parametrize("fresh", [0, 1])
def test_session_of_another_task_is_not_gone_on_in(git_repo: Path, fresh: int) -> None:
    with machine(git_repo) as here:
        here.start()
        other = finished(here, PACE + "The other task.")

        prompt = PACE + "rehearse: echo\nWhat was dispatched and signed."
        spec = rewritten(here, prompt, session=other, attempt=1, fresh=fresh)
        here.reaches(spec, State.DONE)

        first, second = here.agents()
        assert (second["resumed"], second["session"] == first["session"]) == (False, False)
        assert (here.home().tmp / "prompt.received").read_text("utf-8") == prompt


def test_session_of_another_worker_is_not_used_and_its_own_is_gone_on_in(git_repo: Path) -> None:
    with machine(git_repo) as here:
        here.start()
        elsewhere = str(uuid.uuid4())
        hang = "rehearse: pace 0.05\nrehearse: hang\n"
        spec = rewritten(here, hang, session=elsewhere, attempt=3)
        wait_until(lambda: len(here.events(spec)) > 1, 60, here.log)

        os.kill(here.shim_pid(), signal.SIGKILL)
        wait_until(lambda: len(here.agents()) == 2, 60, here.log)

        first, second = here.agents()
        assert (first["resumed"], second["resumed"]) == (False, True)
        assert elsewhere != first["session"] == second["session"]
