"""The end of a run is recorded once, is known to be recorded, and has what follows from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cw.audit import audit_file, entries
from cw.models import TaskSpec
from cw.states import OutcomeKind, State
from tests.integration.hosting import Machine, machine
from tests.standins.forgetful_way import ForgetfulWay
from tests.waiting import wait_until

QUICK = "rehearse: pace 0.05\n"


def recorded(here: Machine, spec: TaskSpec) -> list[object]:
    """What the audit file says of each of its ends."""
    found = entries(audit_file(here.settings()))
    return [
        one.facts["recorded"]
        for one in found
        if one.what == "ended" and one.facts["task"] == spec.id
    ]


def phases(here: Machine, spec: TaskSpec) -> list[str]:
    """Of the archives of its runs."""
    books = [json.loads(one.read_bytes()) for one in here.home().completed.glob("*.json")]
    return [one["phase"] for one in books if one["task"]["id"] == spec.id]


@pytest.mark.parametrize("silent", [False, True], ids=["connection cut", "no answer"])
def test_end_whose_answer_was_lost_is_known_to_be_recorded(git_repo: Path, silent: bool) -> None:
    """Else its own host would take the run for overtaken by another."""
    with machine(git_repo) as here:
        way = ForgetfulWay(
            here.folder / "w", here.folder / "s", b'"kind":"succeeded"', silent=silent
        )
        here.more["CW_BROKER_URL"] = way.url
        here.start()
        # The broker knows the script only after its first use: that answer says no more than this.
        here.reaches(here.dispatch(QUICK), State.DONE)
        way.armed.set()
        spec = here.dispatch(QUICK)

        task = here.reaches(spec, State.DONE)
        wait_until(lambda: recorded(here, spec), what=here.log)
        wait_until(lambda: not here.home().journal.exists(), what="the archive")

        assert way.lost.is_set()
        assert task.outcome
        assert task.outcome.kind is OutcomeKind.SUCCEEDED
        assert (recorded(here, spec), phases(here, spec)) == ([True], ["settled"])
        way.close()
